"""One-shot searches for recurrent cells as trials on a text: rows, going on, and what is refused."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from nas_ray.errors import UsageError
from nas_ray.rows import TRAJECTORY, Row
from nas_ray.safe_files.torch_files import load_plain
from nas_ray.search.one_shot.args import OneShotArgs
from nas_ray.search.one_shot.run import prepare_one_shot, run
from nas_ray.shared_weights.methods.recurrent import RECIPE
from nas_ray.shared_weights.one_shot.training import OneShotTraining
from nas_ray.shared_weights.one_shot.trajectory import Trajectory
from nas_ray.spaces import DartsRnn
from nas_ray.text.corpus import open_corpus
from nas_ray.text.spec import parse_text
from nas_ray.training.text_search_set import TextSearchSet
from nas_ray.training.text_task import TextTask

SPACE = DartsRnn(4)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A text whose every line counts up."""
    path = tmp_path / "book.txt"
    path.write_text("\n".join(" ".join("abcdef"[place:]) for place in [0, 2, 4, 1, 3] * 12))
    return path


def task_of(book: Path) -> TextTask:
    return TextTask(open_corpus(parse_text(f"text:{book}")))


def training(book: Path, **options: Any) -> OneShotTraining:
    task = task_of(book)
    recipe = dataclasses.replace(RECIPE, bptt=6)
    given = {"recipe": recipe, "epochs": 2, "batch_size": 4, **options}
    return OneShotTraining(SPACE, task.num_outputs, task, **given)


def numbers(row: Row) -> Row:
    return {name: value for name, value in row.items() if not name.startswith("seconds")}


def test_a_row_after_each_epoch_says_what_was_found(book: Path) -> None:
    rows = list(training(book, curvature=True).epochs("darts1,seed=3"))
    assert [row["epochs"] for row in rows] == [1, 2]
    for row in rows:
        assert not row["error"]
        assert row["found"] in SPACE
        assert row["skips"] == row["found"].count("identity")
        assert row["valid_perplexity"] == pytest.approx(math.exp(row["valid_nats"]))
        assert math.isfinite(row["train_loss"] + row["valid_loss"] + row["lambda_max"])
    course = Trajectory.from_text(rows[-1][TRAJECTORY])
    assert course.weights[-1][0].shape == (36, 5)


METHODS = ["darts1", "darts2", "gdas,lr=0.1,batch_size=8", "rs-ws,samples=3"]


@pytest.mark.parametrize("method", METHODS)
def test_a_killed_search_goes_on_with_equal_weights(book: Path, tmp_path: Path, method: str) -> None:
    asked = f"{method},seed=1"
    whole = [numbers(row) for row in training(book, checkpoints=tmp_path / "whole").epochs(asked)]
    parts = []
    for _ in whole:  # each in a new evaluator, as in a new process
        epochs = training(book, checkpoints=tmp_path / "kept").epochs(asked)
        parts.append(numbers(next(epochs)))
        epochs.close()
        torch.rand(5)
    assert not whole[-1]["error"]
    assert parts == whole
    (alone,), (gone_on,) = (list((tmp_path / name).iterdir()) for name in ("whole", "kept"))
    expected, found = (dict(tensors(load_plain(path)["states"])) for path in (alone, gone_on))
    assert expected.keys() == found.keys()
    assert len(expected) > 3
    for name, tensor in expected.items():  # weights, momentum, parameters of operations, carried states
        assert torch.equal(tensor, found[name]), name


def tensors(state: Any, name: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Yields all tensors of a nested state with what they are called."""
    if isinstance(state, torch.Tensor):
        yield name, state
    elif isinstance(state, dict | list | tuple):
        parts = state.items() if isinstance(state, dict) else enumerate(state)
        for key, part in parts:
            yield from tensors(part, f"{name}.{key}")


def test_both_parts_are_read_in_order_and_the_held_out_one_again_from_its_beginning(book: Path) -> None:
    task = task_of(book)
    parts = TextSearchSet(task, dataclasses.replace(RECIPE, batch_size=4, bptt=6))
    pairs = list(parts.pairs(0, 0))
    assert len(pairs) == len(parts.pairs(0, 0))
    read = torch.cat([batch[0] for batch, _ in pairs], 1)
    assert read[0].tolist() == task.corpus.train[: read.shape[1]].tolist()
    held = torch.from_numpy(task.corpus.valid[: len(task.corpus.valid) // 4 * 4]).view(4, -1)
    place, last = 0, held.shape[1] - 1
    assert read.shape[1] > last  # it comes to the end
    for (_, targets), (tokens, following) in pairs:
        start = place % last
        assert tokens.shape[1] <= 6
        assert torch.equal(tokens, held[:, start : start + tokens.shape[1]])
        assert torch.equal(following, held[:, start + 1 : start + 1 + tokens.shape[1]])
        place += targets.shape[1]


def test_how_long_it_takes_can_be_told(book: Path) -> None:
    told = training(book).foretold("darts1,seed=0")
    assert told.epochs == 2
    assert told.epoch_seconds > 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"batch_size": 1}, "a batch size of 2 or more"),
        ({"batch_size": 50}, "The held-out part of a text must have 2 words for each of 50 streams"),
    ],
)
def test_texts_that_are_too_short_are_refused(book: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        training(book, **change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"space": "nats-tss"}, "needs the space darts-rnn, got nats-tss"),
        ({"method": ("pc-darts",)}, "not for recurrent cells"),
        ({"method": ("te-nas",)}, "looks at images and reads no text"),
        ({"cells": 3}, "one cell"),
        ({"task": "images", "images": "digits"}, "read the words of a text, not images"),
    ],
)
def test_what_cannot_work_is_told_before_it_starts(book: Path, change: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"space": "darts-rnn:width=4", "task": f"text:{book}", "method": ("darts1",)}
    with pytest.raises(UsageError, match=said):
        prepare_one_shot(OneShotArgs(**{**given, "batch_size": 4, "driver": "process", **change}))


def test_the_command_finds_cells_on_a_text(book: Path, tmp_path: Path) -> None:
    out, console = tmp_path / "run", Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    args = OneShotArgs(
        space="darts-rnn:width=4",
        task=f"text:{book}",
        method=("darts1", "drnas"),
        seeds=1,
        epochs=1,
        batch_size=4,
        driver="process",
        out=str(out),
    )
    assert run(args, console) == 0
    text = console.export_text()
    assert "words, architecture weights on" in text
    assert (out / "methods.csv").is_file()
    assert (out / "course.png").is_file()
