"""The arguments of `nas-ray unseen` and `nas-ray contest`; a light module, for quick answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import tyro

from nas_ray.errors import UsageError
from nas_ray.search.argument_groups import BudgetArgs, JudgeArgs, SearcherArgs
from nas_ray.search.contest.contestants import CONTESTANTS, EVOLUTION, TSS, Contestant, contestants_of
from nas_ray.search.contest.sets import ImageSet, sets_of
from nas_ray.terminal.argument_groups import BatchArgs, LimitArgs, OutArgs, SpaceArgs
from nas_ray.terminal.lists import parted
from nas_ray.terminal.ranges import COST, COUNT, HERE, SECONDS, SEED, Range, check_ranges, check_seeds
from nas_ray.training.recipes import parse_recipe

RANDOM = "random"
"""What stands for a random net among rivals."""


@dataclass(frozen=True)
class StudyArgs(OutArgs, LimitArgs, BatchArgs, BudgetArgs, ABC):
    """What all contestants have in common."""

    experiment: ClassVar[str]
    """What `run.json` and the default folder call it."""

    sets: tuple[str, ...] = ("add", "mult", "shapes", "sudoku")
    """Sets of images, parted by blanks: kinds of generated ones with their options, as in shapes,seed=3, or
    what --images takes, such as npz:mine.npz or cifar10 (docs/images.md)."""
    cifar: Path | None = None
    """CIFAR as a NumPy archive, to add the set tile, made of its images at half their size."""
    words: Path | None = None
    """Folder with a file of words NAME.txt per language, to add the set language."""
    image_size: Annotated[int | None, Range(8, 2_048)] = None
    """Height and width in pixels that sets of your own files are resized to; generated ones have theirs."""
    recipe: str = "epochs:8"
    """How each found net is trained, on all training images, before it is judged on the test images:
    epochs:4, nats-12 and others, with changes as in epochs:8:cutout=4."""
    seeds: Annotated[int, Range(1, 10_000)] = 3
    """Searches of every contestant on every set, each with its own weights, images and final training."""
    seed: Annotated[int, SEED] = 0
    """Seed of the first of them; the next have the next seeds."""
    num_samples: Annotated[int | None, COUNT] = 50
    """Evaluations of each search; None with --time-budget-s for no limit."""
    time_budget_s: Annotated[float | None, SECONDS] = None
    """Seconds of each search, after which no new evaluation starts; how many it makes then depends on the
    machine, and numbers are not equal from run to run."""
    num_cpus: Annotated[int | None, HERE] = None
    """Processes to use (default: all cores), each with one search at a time."""
    out: Path | None = None
    """Folder of the tables (default: runs/NAME-TIME). Entries that it holds are not made again, so that the
    same command goes on after an interruption, or with more seeds, sets or contestants."""

    def check(self) -> None:
        """Checks what needs no torch.

        Raises:
            UsageError: anything that cannot be.
        """
        check_ranges(self)
        check_seeds(self.seed, self.seeds, "--seeds")
        parse_recipe(self.recipe)
        if self.num_samples is None and self.time_budget_s is None:
            raise UsageError(
                "A search must have an end, got neither --num-samples nor --time-budget-s; give one."
            )
        for contestant in self.entrants():
            if contestant.fidelity is not None:
                parse_recipe(contestant.fidelity)
        self.image_sets()

    def image_sets(self) -> list[ImageSet]:
        """Returns the sets.

        Raises:
            UsageError: unknown ones, or files that are not there.
        """
        return sets_of(self.sets, self.cifar, self.words, self.image_size)

    @abstractmethod
    def entrants(self) -> list[Contestant]:
        """Returns who takes part.

        Raises:
            UsageError: unknown ones, or one twice.
        """


@dataclass(frozen=True)
class UnseenArgs(JudgeArgs, SearcherArgs, StudyArgs, SpaceArgs):
    """One search, on images that no architecture was tuned for."""

    experiment: ClassVar[str] = "unseen"

    space: str = TSS
    """Search space, or your own as module:class. The default has cells of NATS-TSS in nets with about as many
    multiply-adds as ResNet-20."""
    searcher: str = "rea"
    """Searcher: random_search, rea, freerea, local_search and others (docs/searchers.md), or your own as
    module:class."""
    searcher_args: tuple[str, ...] = ()
    """Options of the searcher as name=value; rea has population=10 sample=3 where none is given."""
    rivals: tuple[str, ...] = (RANDOM, "resnet-20")
    """What is trained beside the found nets: random for a random net of the space, or hand-designed nets."""

    def entrants(self) -> list[Contestant]:
        """Returns the search, and its rivals.

        Raises:
            UsageError: a rival is named twice.
        """
        options = self.searcher_args or (EVOLUTION if self.searcher == "rea" else ())
        name = self.searcher.rpartition(":")[2]
        found = Contestant(
            name, self.space, self.searcher, options, "", self.proxies, self.fitness, self.fidelity
        )
        rivals = parted(self.rivals)
        if len({name, *rivals}) <= len(rivals):
            raise UsageError(f"The rivals of {name} must all be different, got {' '.join(rivals)}.")
        return [found, *(_rival(rival, self.space) for rival in rivals)]


def _rival(name: str, space: str) -> Contestant:
    return Contestant(name, space) if name == RANDOM else Contestant(name, "hand-designed", arch=name)


@dataclass(frozen=True)
class ContestArgs(StudyArgs):
    """Many searches, in equal time."""

    experiment: ClassVar[str] = "contest"

    contestants: tyro.conf.Positional[tuple[str, ...]] = tuple(CONTESTANTS)
    """Who takes part."""
    sets: tuple[str, ...] = ("shapes,size=16,shapes=4", "tile")
    """Sets of images, parted by blanks: kinds of generated ones with their options, and images as --images
    takes them, such as npz:cifar10.npz."""
    recipe: str = "epochs:4"
    """How each found net is trained, on all training images, before it is judged on the test images."""
    seeds: Annotated[int, Range(1, 10_000)] = 5
    """Entries of every contestant on every set, each with its own weights, images and final training."""
    num_samples: Annotated[int | None, COUNT] = None
    """Evaluations of each search; None means that time alone limits it."""
    time_budget_s: Annotated[float | None, SECONDS] = 30.0
    """Seconds of each search, after which no new evaluation starts."""
    max_flops: Annotated[float | None, COST] = 1.1e7
    """Most multiply-adds of a net that is searched or drawn, for one image; None means no limit. ResNet-20
    has 10 million for images of 16 pixels, and 41 million for 32."""

    def entrants(self) -> list[Contestant]:
        """Returns the contestants that are named.

        Raises:
            UsageError: unknown ones, or one twice.
        """
        return contestants_of(self.contestants)
