"""Of which nets an accuracy of NATS-TSS is, and where that is said."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from nas_ray.benchmarks import open_benchmark
from nas_ray.benchmarks.published import net_in, net_named, of_other_nets
from nas_ray.search.finish import say_of_which_nets
from nas_ray.spaces import Darts, NatsTss

SAID = "accuracy is that of nets with 16 channels and 5 cells, not of those scored."


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ("nats-tss", None),
        ("nats-tss:channels=16", None),
        ("nats-tss:channels=4,cells=1", SAID),
        ("nats-tss:cells=1@lr=0.1/0.2", SAID),
        ("darts:channels=4", None),
        ("nats-tss:nothing=1", None),
        (None, None),
    ],
)
def test_by_the_name_of_a_space(space: object, said: str | None) -> None:
    assert of_other_nets(net_named(space)) == said


def test_by_a_space() -> None:
    assert of_other_nets(net_in(NatsTss(4, 1))) == SAID
    assert of_other_nets(net_in(NatsTss())) is None
    assert net_in(Darts()) == {}


@pytest.mark.parametrize(
    ("channels", "known", "said"), [(4, True, True), (16, True, False), (4, False, False)]
)
def test_a_search_says_it_below_its_result(channels: int, known: bool, said: bool) -> None:
    told = io.StringIO()
    benchmark = open_benchmark("nb201", "cifar10") if known else None
    experiment: Any = SimpleNamespace(benchmark=benchmark, final_space=NatsTss(channels))
    say_of_which_nets(experiment, Console(file=told, width=160))
    assert (f"A{SAID[1:]}" in told.getvalue()) == said
