"""The arguments of `nas-ray staleness`; a light module, for quick answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS, get_dataset
from nas_ray.reproduce.args import SearchedArgs
from nas_ray.reproduce.published import BUDGET_SECONDS
from nas_ray.terminal.argument_groups import SpaceArgs
from nas_ray.terminal.lists import parted
from nas_ray.terminal.ranges import SECONDS, SOME, Range, check_ranges, whole_number

WORK, WALL = "work", "wall"
MOST_LATE = Range(0, 10**6)


@dataclass(frozen=True)
class StalenessArgs(SearchedArgs, SpaceArgs):
    """Which searchers, how late they hear of rows, and how often."""

    stem: ClassVar[str] = "staleness"

    space: str = "nats-tss"
    """Search space, of which the benchmark must hold every arch: nats-tss or nats-sss."""
    searchers: tuple[str, ...] = ("rea", "reinforce", "ppo")
    """Searchers, separated by commas or spaces; one with options stands alone, such as
    rea,population=20,sample=5. Or your own as module:class. Random search is always among them."""
    workers: tuple[str, ...] = ("1", "8", "32")
    """Evaluations in flight, separated by commas or spaces; rows arrive in the order in which they end."""
    late: tuple[str, ...] = ("32",)
    """Fixed lateness, with one worker: a row is told when so many further archs have been asked for. 0 for
    none."""
    budget: Literal["work", "wall"] = "work"
    """What --seconds are. work: of all workers together, so that any number of them makes about as many
    evaluations. wall: of the clock, so that more workers make more."""
    seconds: Annotated[float | None, SECONDS] = BUDGET_SECONDS
    """Simulated seconds of a run, after which no evaluation starts; None with --evaluations for no limit."""
    searched_on: str | None = "cifar10"
    """Dataset whose accuracy all searches maximise; None for each dataset by its own."""
    dataset: str | None = None
    """The only dataset that is reported (default: all three)."""
    seeds: Annotated[int, Range(2, 10**6)] = 500
    """Runs of every row, with the seeds 0, 1, 2 and so on."""
    out: Path | None = None
    """Folder of tables and pictures (default: runs/staleness-TIME). Runs that it holds are not made again, so
    that the same command goes on after an interruption, or with more seeds."""

    def check(self) -> None:
        """Checks what needs no data.

        Raises:
            UsageError: a number out of range, or no such dataset.
        """
        check_ranges(self)
        if self.dataset is not None:
            get_dataset(self.dataset)
        if self.seconds is None and self.evaluations is None:
            raise UsageError("A run must have an end, got neither --seconds nor --evaluations; give one.")
        if self.budget == WALL and self.seconds is None:
            raise UsageError("--budget wall says what --seconds are, got none; give them, or leave it out.")
        if not self.workers_of_rows:
            raise UsageError("--workers must name at least one number, got none; name one such as 1,8,32.")
        _ = self.named, self.lateness_of_rows  # which raise

    @property
    def named(self) -> list[str]:
        """The searchers one by one.

        Raises:
            UsageError: there are none.
        """
        found = [name for text in self.searchers for name in ([text] if "=" in text else text.split(","))]
        if not any(name.strip() for name in found):
            raise UsageError("A searcher must be named, got none; name one such as rea.")
        return [name.strip() for name in found if name.strip()]

    @property
    def workers_of_rows(self) -> list[int]:
        """The numbers of workers.

        Raises:
            UsageError: one is no such number.
        """
        return numbers("--workers", self.workers, SOME)

    @property
    def lateness_of_rows(self) -> list[int]:
        """The numbers of asks of `late`, without 0, which is one worker.

        Raises:
            UsageError: one is no such number.
        """
        return [late for late in numbers("--late", self.late, MOST_LATE) if late]

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets of the table."""
        return tuple(DATASETS) if self.dataset is None else (self.dataset,)


def numbers(option: str, texts: Sequence[str], known: Range) -> list[int]:
    """Returns the whole numbers in `texts`, each once, parted by commas or blanks.

    Raises:
        UsageError: one is none, or out of range.
    """
    given = parted(texts)
    found = [number if (number := whole_number(word)) is not None else word for word in given]
    for one in found:
        known.check(option, one)
    return list(dict.fromkeys(number for number in found if isinstance(number, int)))
