"""The arguments of `nas-ray tune-recipe`; a light module, for quick answers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from nas_ray.errors import UsageError
from nas_ray.process.started import started
from nas_ray.runs.best import best_of, taken_over
from nas_ray.search.arguments import AnySearchArgs, absolute, parse
from nas_ray.search.texts import FIDELITY
from nas_ray.spaces.settings import AT, space_name
from nas_ray.terminal import ranges
from nas_ray.terminal.argument_groups import FoundArgs
from nas_ray.terminal.command_line import read_args
from nas_ray.training.task_args import is_text

NAME = "tune_recipe"
TAKEN_OVER = ("dataset", "task", "images", "image_size", "split_seed", "skip_unreadable", "space")
"""What is taken from the search whose arch is trained, unless it is given."""
TEXT_SETTINGS = "lr=log:1..60,weight_decay=log:1e-08..0.0001,output_dropout=0.0..0.6"
"""What is varied on a text where nothing is said: around `lm-fast`, which has no momentum."""


@dataclass(frozen=True)
class TuneRecipeArgs(FoundArgs, AnySearchArgs):
    """Which recipe of which arch, and how it is looked for."""

    settings: str = "lr=log:0.005..1,weight_decay=log:1e-05..0.01,momentum=0.5..0.98"
    """Options of the recipe, each with what it may be: lr=log:0.01..1 (a range, logarithmic), cutout=0..16
    (whole numbers), schedule=cosine/linear (a choice), warmup_epochs=0.0..1.0:if:schedule:cosine (only where
    another has a value); docs/hyper_parameters.md. On a text this default means lr=log:1..60,
    weight_decay=log:1e-08..0.0001,output_dropout=0.0..0.6."""
    fidelity: str | None = "fast"
    """The recipe that they change, whose epochs are those of a trial: fast, epochs:9, nats-12 and others with
    changes; lm-fast or lm-darts for a text, where fast means lm-fast."""
    searcher: str = "random_search"
    """Searcher: random_search, optuna, wrs, wrs_two_point, rea, local_search, or your own as module:class."""
    num_samples: Annotated[int | None, ranges.COUNT] = 30
    """Recipes to try."""
    benchmark: str = "none"
    """As in the searches; a benchmark knows the arch by its own recipe alone."""

    def completed(self) -> TuneRecipeArgs:
        """Returns the same arguments with the settings in the name of the space, and what `wrs` asks for."""
        args = _of_text(self) if is_text(self) else self
        space = f"{space_name(args.space)}{AT}{args.settings}"
        texts, count = args.searcher_args, args.num_samples
        said = any(text.strip().startswith("initial=") for given in texts for text in given.split(","))
        if args.searcher == "wrs" and not said and count is not None:
            texts = (*texts, f"initial={max(1, round(count / math.e))}")
        return dataclasses.replace(args, space=space, searcher_args=texts)

    def check(self) -> None:
        """Checks what needs no import and is no name.

        Raises:
            UsageError: nothing is trained.
        """
        if self.fidelity is None:
            raise UsageError("A recipe is tuned by trainings; give --fidelity, such as fast or epochs:4.")


def parse_tuning(description: str, argv: Sequence[str] | None = None) -> TuneRecipeArgs:
    """Returns the command line's arguments on top of those of the search whose arch is trained.

    Raises:
        UsageError: no such run or one without a best arch, or a resumed run that cannot go on so.
    """
    words = list(started().arguments if argv is None else argv)
    first = parse(TuneRecipeArgs, NAME, description, words)
    if first.resume is not None:
        return first
    if first.run is None:
        return _tiny(first).completed()
    best = best_of(first.run, "Tuning a recipe")
    taken = TuneRecipeArgs(**taken_over(first.run, TAKEN_OVER), arch=best.arch)
    return _tiny(absolute(read_args(TuneRecipeArgs, description, words, taken))).completed()


def _tiny(args: TuneRecipeArgs) -> TuneRecipeArgs:
    return args.smoked() if args.smoke else args  # type: ignore[return-value]  # which keeps the class


def _of_text(args: TuneRecipeArgs) -> TuneRecipeArgs:
    """Returns the arguments with what their defaults of settings and recipe mean on a text."""
    settings = TEXT_SETTINGS if args.settings == TuneRecipeArgs.settings else args.settings
    fidelity = FIDELITY if args.fidelity == TuneRecipeArgs.fidelity else args.fidelity
    return dataclasses.replace(args, settings=settings, fidelity=fidelity)
