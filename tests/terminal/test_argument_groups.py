"""Every option is defined once, whatever commands take it."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import itertools
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, get_origin, get_type_hints

import pytest

import nas_ray
from nas_ray.runs.stored_args import stored_args
from nas_ray.search.arguments import AnySearchArgs, SearchArgs
from nas_ray.search.two_stage_args import TwoStageArgs
from nas_ray.terminal.argument_groups import MachineArgs, MinibatchArgs

OTHER_MEANINGS = {
    "arch_lr": "of the methods' own, or made for searches of a hundred steps",
    "benchmark": "a report takes what the run holds, unless told otherwise",
    "dataset": "of images, and of a table that comes without a run",
    "batch_seed": "draws a minibatch, or the two parts of a search set",
    "batch_size": "images of a minibatch, or of a step of training, which a method decides as well",
    "cells": "of a net, or of a supernet, which a method decides as well",
    "channels": "of a net, or of a supernet, whose space may be any",
    "fitness": "a search maximises one, a comparison judges several",
    "image_size": "of the images at hand, or of those that a net is traced on",
    "sample": "archs of a tournament, or how a text that a trained net continues begins",
    "num_cpus": "processes of this machine, and not cores that Ray may use",
    "num_gpus": "a training runs one net on all of them together",
    "out": "a report and a table are files",
    "recipe": "of one net and those beside it, or of all that a study finds",
    "runs": "how many, and which folders",
    "scores": "where scores come from, and which columns",
    "seed": "of a searcher, of a sample, of the first run or the first net",
    "seeds": "runs of a row, and nets of an arch",
    "skip_unreadable": "of a source of images, or of files that are given",
    "space": "of an arch, or of the net in a file, which may be known",
    "time_budget_s": "of one search, and of all rows of a table together",
    "top": "archs in a list, and combinations in a table",
    "workers": "simulated ones, and processes",
}
"""Words that mean something else in classes that do not inherit one another, and what."""


def classes() -> list[type]:
    """Returns every class of arguments in the package."""
    found: set[type] = set()
    for module in pkgutil.walk_packages(nas_ray.__path__, "nas_ray."):
        if module.name.rpartition(".")[2] in ("args", "arguments", "two_stage_args", "image_args") or (
            module.name.endswith("argument_groups")
        ):
            made = importlib.import_module(module.name)
            found |= {one for _, one in inspect.getmembers(made, inspect.isclass)}
    named = (one for one in found if dataclasses.is_dataclass(one) and one.__name__.endswith("Args"))
    return sorted(named, key=lambda one: one.__name__)


def own_options(kind: type) -> list[str]:
    """Returns the fields that a class itself names."""
    hints = get_type_hints(kind)
    return [name for name in inspect.get_annotations(kind) if get_origin(hints[name]) is not ClassVar]


def restated() -> Iterator[tuple[str, str, str]]:
    """Yields an option and two classes that both define it, though neither is a kind of the other."""
    for one, other in itertools.combinations(classes(), 2):
        if not (issubclass(one, other) or issubclass(other, one)):
            for name in set(own_options(one)) & set(own_options(other)):
                if not shared_root(one, other, name):
                    yield name, one.__name__, other.__name__


def shared_root(one: type, other: type, name: str) -> bool:
    """Returns whether both say anew what one group defines."""
    return any(
        name in own_options(group) and dataclasses.is_dataclass(group)
        for group in set(inspect.getmro(one)[1:]) & set(inspect.getmro(other)[1:])
    )


def test_no_option_is_defined_twice() -> None:
    twice = {name: (one, other) for name, one, other in restated()}
    assert {name: where for name, where in twice.items() if name not in OTHER_MEANINGS} == {}
    assert set(twice) == set(OTHER_MEANINGS)


def test_all_commands_are_looked_at() -> None:
    names = {one.__name__ for one in classes()}
    assert {
        "SearchArgs",
        "ScoreArgs",
        "BestArgs",
        "CorrelateArgs",
        "RunsArgs",
        "TrainArgs",
        "ReportArgs",
    } < names
    assert {"TwoStageArgs", "ChooseArgs", "ReproduceArgs", "CompareArgs", "ExportArgs", "ImageArgs"} < names
    assert len(names) > 25


def defined(kind: type, name: str) -> str:
    """Returns the lines that define a field: its type with its range, its default and its text."""
    return '"""'.join(inspect.getsource(kind).split(f"    {name}: ", 1)[1].split('"""')[:2])


def test_a_field_given_again_says_something_else() -> None:
    same = [
        (kind.__name__, name)
        for kind in classes()
        for name in own_options(kind)
        for group in inspect.getmro(kind)[1:]
        if dataclasses.is_dataclass(group) and name in inspect.get_annotations(group)
        if defined(kind, name) == defined(group, name)
    ]
    assert same == []


def test_attributes_are_flat_and_groups_are_small() -> None:
    args = SearchArgs(batch_size=8, num_cpus=2)
    assert isinstance(args, MinibatchArgs)
    assert isinstance(args, MachineArgs)
    assert dataclasses.asdict(args)["batch_size"] == args.batch_size == 8


EARLIER: dict[str, Any] = {
    "dataset": "cifar10",
    "images": "digits",
    "image_size": None,
    "split_seed": 0,
    "skip_unreadable": False,
    "download": False,
    "proxies": ["naswot", "synflow"],
    "fitness": None,
    "fidelity": None,
    "scheduler": "none",
    "grace_epochs": 1,
    "reduction_factor": 3.0,
    "max_params": None,
    "max_flops": None,
    "max_latency_ms": None,
    "max_memory_mib": None,
    "num_samples": 4,
    "time_budget_s": None,
    "batch_size": 16,
    "seed": 1,
    "init_seed": 2,
    "batch_seed": 3,
    "space": "nats-tss",
    "benchmark": "none",
    "num_gpus": None,
    "wait_for_gpus": 0.0,
    "gpus_per_trial": None,
    "num_cpus": 1,
    "max_concurrent": None,
    "archs_per_trial": 1,
    "trial_timeout_s": None,
    "address": None,
    "out": "runs/one",
    "resume": None,
    "smoke": False,
    "verbose": False,
    "searcher": "rea",
    "searcher_args": ["population=20"],
}
"""The arguments of a search as version 0.1 kept them in `run.json`."""


@pytest.mark.parametrize("kind", [AnySearchArgs, TwoStageArgs])
def test_arguments_that_an_earlier_version_stored_are_read(kind: type[AnySearchArgs], tmp_path: Path) -> None:
    more = {"keep": 4, "rungs": ["1", "2"], "weight": 0.5} if kind is TwoStageArgs else {}
    args = stored_args(kind, {**EARLIER, **more}, tmp_path)
    assert (args.proxies, args.batch_size, args.seed) == (("naswot", "synflow"), 16, 1)
    assert set(dataclasses.asdict(args)) == {
        *EARLIER,
        *more,
        "driver",
        "own_weights",
        "start_from",
        "name",
        "task",
        "objectives",
        "costs",
    }
