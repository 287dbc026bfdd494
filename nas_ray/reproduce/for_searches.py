"""Chooses what searches maximise where nothing is said, and judges it on what was not used for the choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from rich.console import Console

from nas_ray.reproduce.by_search import BUDGETS, Ground, fitnesses, halves, judged
from nas_ray.terminal.console import Rows, put, say

FIRST_SEEDS, FINALISTS = 10, 10
"""Searches with every fitness in the first round, and how many fitnesses reach the second."""

BESIDE = ("rank_sum:naswot,synflow", "rank_sum:params,skip", "synflow", "params")
"""What is judged beside the choice, where its scores are known."""

WORTH = ("found", "rank", "top 1 %")
"""What is printed for each budget."""

Scores = Sequence[Mapping[str, np.ndarray]]
"""`[archs]` by name, one mapping per initialisation."""


@dataclass(frozen=True)
class Chosen:
    """What came out.

    Attributes:
        fitness: the choice.
        best: the fitness with the best mean.
        tried: a line per fitness and round: `fitness`, `round`, `seeds`, and for each budget N
            `accuracy_N`, `deviation_N`, `rank_N`, `top_N` (`by_search.judged`); the best of the last first.
    """

    fitness: str
    best: str
    tried: pd.DataFrame


def choose_for_searches(
    archs: Sequence[str],
    scores: Scores,
    valid: np.ndarray,
    *,
    seeds: int,
    watched: Callable[[Sequence[str]], Iterable[str]] = iter,
) -> Chosen:
    """Returns the fitness with which `rea` finds the best archs of the first half.

    Every fitness is searched with by a few seeds, the best of them by `seeds`. Of those whose mean over
    budgets and seeds is within one standard error of the best, the one with the fewest scores is chosen, and
    of these the best.

    Args:
        archs: of nats-tss, all of them.
        scores: of these archs.
        valid: validation accuracy `[archs]` in percent.
        seeds: searches with every finalist.
        watched: gives the fitnesses one after the other, and may show how far that is.
    """
    part = _part(archs, halves(archs)[0])
    ground = _ground(archs, scores, part)
    tried = fitnesses(list(scores[0]))
    few = min(seeds, FIRST_SEEDS)
    lines = [_line(text, 1, ground.searched(text, few), valid[part]) for text in watched(tried)]
    ranked = sorted(lines, key=lambda line: -_mean(line))
    kept = [str(line["fitness"]) for line in ranked[:FINALISTS]]
    found = {text: ground.searched(text, seeds) for text in watched(kept)}
    finals = [_line(text, 2, places, valid[part]) for text, places in found.items()]
    finals.sort(key=lambda line: -_mean(line))
    own = valid[part][found[str(finals[0]["fitness"])]].mean(axis=1)
    least = _mean(finals[0]) - own.std(ddof=1) / len(own) ** 0.5
    near = [line for line in finals if _mean(line) >= least]
    taken = min(near, key=lambda line: len(scores_of(str(line["fitness"]))))  # of equals the first is best
    return Chosen(str(taken["fitness"]), str(finals[0]["fitness"]), pd.DataFrame([*finals, *ranked]))


def confirm(
    archs: Sequence[str],
    scores: Scores,
    accuracy: Mapping[str, np.ndarray],
    texts: Sequence[str],
    *,
    seeds: int,
) -> pd.DataFrame:
    """Returns what searches with each fitness find on the other half and on the whole space.

    Columns: `fitness`, `archs` (`second half` or `all`), `accuracy` (the key of `accuracy`), and those of
    `Chosen.tried` for each budget.

    Args:
        archs: of nats-tss, all of them.
        scores: of these archs.
        accuracy: `[archs]` percent by what it is, such as `cifar100 test_acc`.
        texts: fitnesses.
        seeds: searches with each.
    """
    lines = []
    for title, part in (("second half", _part(archs, halves(archs)[1])), ("all", np.arange(len(archs)))):
        ground = _ground(archs, scores, part)
        for text in texts:
            found = ground.searched(text, seeds)
            for name, values in accuracy.items():
                line = {"fitness": text, "archs": title, "accuracy": name}
                lines.append({**line, **_columns(found, values[part])})
    return pd.DataFrame(lines)


def _part(archs: Sequence[str], members: Sequence[str]) -> np.ndarray:
    known = set(members)
    return np.array([place for place, arch in enumerate(archs) if arch in known])


def _ground(archs: Sequence[str], scores: Scores, part: np.ndarray) -> Ground:
    own = [{name: values[part] for name, values in one.items()} for one in scores]
    return Ground([archs[place] for place in part], own)


def _columns(found: np.ndarray, accuracy: np.ndarray) -> dict[str, float]:
    worth = zip(BUDGETS, judged(found, accuracy), strict=True)
    return {f"{name}_{budget}": value for budget, one in worth for name, value in one.items()}


def _line(text: str, number: int, found: np.ndarray, accuracy: np.ndarray) -> dict[str, object]:
    return {"fitness": text, "round": number, "seeds": len(found), **_columns(found, accuracy)}


def _mean(line: Mapping[str, object]) -> float:
    """Returns the mean accuracy over budgets."""
    return float(np.mean([line[f"accuracy_{budget}"] for budget in BUDGETS]))


def scores_of(text: str) -> tuple[str, ...]:
    """Returns the scores that the text of a fitness names."""
    return tuple(text.rpartition(":")[2].split(","))


def show_tried(chosen: Chosen, top: int, console: Console) -> None:
    """Prints the fitnesses that were searched with most often, on the half that was chosen on."""
    tried = chosen.tried
    say(
        console, f"{tried['fitness'].nunique()} fitnesses; valid_acc on cifar10 of what they find on one half"
    )
    _show_worth(tried[tried["round"] == 2].head(top), ("fitness",), console)


def show_confirmed(confirmed: pd.DataFrame, console: Console) -> None:
    """Prints what the choice and its rivals find elsewhere."""
    _show_worth(confirmed, ("fitness", "archs", "accuracy"), console)


def _show_worth(lines: pd.DataFrame, first: Sequence[str], console: Console) -> None:
    """Prints for each budget mean and deviation of the accuracy found, median rank, and share of the top."""
    table = Rows(*first, *(f"{words} {budget}" for budget in BUDGETS for words in WORTH), box=None)
    for line in lines.to_dict("records"):
        cells = [str(line[name]) for name in first]
        for budget in BUDGETS:
            cells.append(f"{line[f'accuracy_{budget}']:.2f} +- {line[f'deviation_{budget}']:.2f}")
            cells += [f"{line[f'rank_{budget}']:g}", f"{line[f'top_{budget}']:.0%}"]
        table.add_row(*cells)
    put(console, table)
