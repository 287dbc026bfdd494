"""Tunes the recipe of one arch: a search over settings, whose rewards are short trainings."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from nas_ray.search.base import Experiment
from nas_ray.search.experiment import prepare
from nas_ray.search.finish import Outcome
from nas_ray.search.session import run_prepared
from nas_ray.search.tune_recipe.args import NAME, TuneRecipeArgs
from nas_ray.spaces import HandDesigned, Product, SearchSpace
from nas_ray.spaces.named import make_space
from nas_ray.spaces.needs import is_member
from nas_ray.spaces.one_arch import OneArch
from nas_ray.spaces.settings import named_space, settings_of
from nas_ray.terminal.console import Rows, put, say
from nas_ray.training.task_args import is_text


def run(args: TuneRecipeArgs, console: Console, *, began: float) -> int:
    """Runs or resumes the search over recipes and returns the exit code.

    Args:
        args: from the command line, completed.
        console: where the summary goes.
        began: `time.monotonic()` of the start of the process.

    Raises:
        UsageError: bad input.
    """
    name, settings = named_space(args.space)
    arch = str(args.arch)
    space = Product(OneArch(make_space(name) if is_text(args) else _space_with(name, arch), arch), settings)
    experiment = prepare(NAME, args, args.searcher, space=space)
    return run_prepared(experiment, console, began=began, after=show_importance)


def _space_with(name: str, arch: str) -> SearchSpace:
    """Returns the space `name`, or the hand-designed nets if `arch` is one of these alone."""
    space, nets = make_space(name), HandDesigned()
    return nets if arch in nets and not is_member(space, arch) else space


def show_importance(outcome: Outcome, experiment: Experiment, folder: Path, console: Console) -> None:
    """Prints the best settings, and what each of all settings explains of the accuracy or the nats."""
    if outcome.best is None:
        return
    best = ", ".join(f"{name}={value}" for name, value in settings_of(outcome.best["arch"]).items())
    say(console, f"Best settings: {best}")
    if outcome.importance is None:
        return
    shares, few = outcome.importance
    table = Rows(box=None)
    for head in ("setting", "explains by itself"):
        table.add_column(head, justify="left" if head == "setting" else "right")
    for name, share in shares.itertuples(index=False):
        table.add_row(name, f"{share:.0%}")
    put(console, table)
    if few:
        say(console, few, "yellow", wrapped=True)
