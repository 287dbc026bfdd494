"""The runs of one row: many seeds, in processes, as answers and curves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nas_ray.drivers.simulation import simulate
from nas_ray.errors import UsageError, describe
from nas_ray.images.datasets import DATASETS
from nas_ray.process.plugins import resolve
from nas_ray.report.search_curve import best_so_far
from nas_ray.reproduce.at_work import at_work
from nas_ray.reproduce.known import Known
from nas_ray.reproduce.measures import TRAINED, scores_for, trained_for
from nas_ray.reproduce.tables import Setting
from nas_ray.rows import ERROR, ERROR_KIND, RAISED
from nas_ray.searchers import SEARCHERS, ArchSearcher, FilteredSpace, Single, parse_fitness
from nas_ray.searchers.fitness import Fitness
from nas_ray.searchers.freerea import SCORES as FREEREA_SCORES
from nas_ray.searchers.late_rows import LateRows
from nas_ray.searchers.skip_rules import SKIP
from nas_ray.spaces.base import SearchSpace
from nas_ray.spaces.nats_tss import EDGES, to_ops

CHUNK = 20
"""Seeds that a process takes at a time."""

POINTS = 60
"""Points of a curve."""


@dataclass(frozen=True)
class Runs:
    """The runs of a row.

    Attributes:
        answers: one line per run and dataset: `seed`, `dataset`, `arch` (missing for an average), `accuracy`,
            `evaluations`, `seconds`.
        curves: one line per run, dataset and point: `seed`, `dataset`, `at` (evaluations or seconds),
            `accuracy`.
    """

    answers: pd.DataFrame
    curves: pd.DataFrame


def skip_to_output(arch: str) -> bool:
    """Returns whether the only skip connection of `arch` leads from the input to the output."""
    ops = to_ops(arch)
    return ops.count(SKIP) == 1 and ops[EDGES.index((0, EDGES[-1][1]))] == SKIP


def fitness_of(by: str) -> Fitness:
    """Returns the fitness that a setting's `by` stands for."""
    if by == "freerea":
        return FREEREA_SCORES
    if by in TRAINED:
        return Single(("valid_acc",))
    return parse_fitness(by, (*scores_for(by), *trained_for(by)))


def run_seed(known: Known, setting: Setting, seed: int, search: Search | None = None) -> Runs:
    """Returns one run; a search that does not look at a dataset is run once and reported on all of them.

    Args:
        known: accuracies, and stored scores.
        setting: what is run.
        seed: of the searcher.
        search: makes the rows; None looks scores up.
    """
    search = search or look_up
    answers, curves = [], []
    own = bool(trained_for(setting.by)) and setting.searched_on is None
    rows = course = pd.DataFrame()
    for dataset in DATASETS:
        if own or rows.empty:
            rows = search(known, setting, setting.searched_on or dataset, seed)
            if setting.paid_again and setting.seconds:
                rows = paid_again(rows, setting.seconds)
            course = answers_of(setting, rows)
        course = with_accuracy(known, setting, course, dataset)
        arch = None if setting.answer == "average" else course["arch"].iloc[-1]
        accuracy = float(course["accuracy"].iloc[-1])
        cost = {"evaluations": len(rows), "seconds": float(rows["seconds"].sum())}
        answers.append({"seed": seed, "dataset": dataset, "arch": arch, "accuracy": accuracy, **cost})
        curves.append(at_points(setting, course).assign(seed=seed, dataset=dataset))
    return Runs(pd.DataFrame(answers), pd.concat(curves))


Search = Callable[[Known, Setting, str, int], pd.DataFrame]
"""`search(known, setting, dataset, seed)` returns the rows of one search."""


def new_searcher(known: Known, setting: Setting, seed: int) -> ArchSearcher:
    """Returns the searcher of one run."""
    space: SearchSpace = known.space
    if setting.to_output:
        space = FilteredSpace(space, skip_to_output)
    kind = resolve("searcher", setting.searcher, SEARCHERS, "nas_ray.searchers")
    made: ArchSearcher = kind(space, fitness=fitness_of(setting.by), seed=seed, **setting.options)
    made = LateRows(made, setting.late) if setting.late else made
    if known.costs is not None:
        made.know(known.costs)
    return made


def look_up(known: Known, setting: Setting, dataset: str, seed: int) -> pd.DataFrame:
    """Returns the rows of one search on stored accuracies and scores.

    Raises:
        UsageError: the searcher raised, whatever it was, or proposed no arch.
    """
    try:
        rows = simulate(
            new_searcher(known, setting, seed),
            known.evaluator(setting.by, dataset, seed),
            num_samples=setting.evaluations,
            seconds=None if setting.pooled else setting.seconds,
            work=setting.seconds if setting.pooled else None,
            workers=setting.workers,
        )
    except (Exception, SystemExit) as error:  # searchers may be foreign code
        raise UsageError(
            f"The searcher {setting.title!r} failed with seed {seed} on {dataset}: {describe(error)}"
        ) from error
    if rows.empty:
        raise UsageError(f"The searcher {setting.title!r} proposed no arch with seed {seed} on {dataset}.")
    if ERROR_KIND in rows and not (raised := rows[rows[ERROR_KIND] == RAISED]).empty:
        first = raised.iloc[0]
        raise UsageError(
            f"The searcher {setting.title!r} proposed {first['arch']!r} with seed {seed} on {dataset}, which "
            f"cannot be looked up: {first[ERROR]}"
        )
    return rows


def paid_again(rows: pd.DataFrame, seconds: float) -> pd.DataFrame:
    """Returns the beginning of a search that would pay for known archs again, until `seconds` are spent.

    With one evaluation in flight it asks for the same archs, whatever they cost.
    """
    cost = rows["arch"].map(rows.drop_duplicates("arch").set_index("arch")["seconds"])
    ends = cost.cumsum()
    return rows.assign(seconds=cost, finished_at=ends)[ends - cost < seconds]


def answers_of(setting: Setting, rows: pd.DataFrame) -> pd.DataFrame:
    """Returns `evaluation`, `finished_at` and `arch` after every evaluation.

    The arch is the answer at that time, missing before the first; for an average it is the arch evaluated.
    """
    if setting.answer == "average":
        return rows[["finished_at", "arch"]].assign(evaluation=np.arange(1, len(rows) + 1))
    return best_so_far(rows, None, fitness=fitness_of(setting.by))[["evaluation", "finished_at", "arch"]]


def with_accuracy(known: Known, setting: Setting, course: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """Returns `course` with `accuracy`: of the answer, or the mean of all archs up to here."""
    accuracy = pd.Series(known.of(dataset, setting.measure, list(course["arch"])), index=course.index)
    return course.assign(accuracy=accuracy.expanding().mean() if setting.answer == "average" else accuracy)


def at_points(setting: Setting, course: pd.DataFrame) -> pd.DataFrame:
    """Returns `at` and `accuracy` at points that all runs of the row share; NaN before the first answer."""
    if setting.seconds is None:
        at = np.unique(np.geomspace(1, setting.evaluations or 1, POINTS).round())
        reached = course["evaluation"].to_numpy(float)
    else:
        at = np.linspace(0, setting.seconds, POINTS)
        reached = course["finished_at"].to_numpy(float)
    place = np.searchsorted(reached, at + 1e-9, side="right") - 1
    accuracy = course["accuracy"].to_numpy(float)
    return pd.DataFrame({"at": at, "accuracy": np.where(place < 0, np.nan, accuracy[place])})


Runner = Callable[[Setting, int, Callable[[int], None]], Runs]
"""`run(setting, number of seeds, told)` makes the runs; `told` hears how many seeds were finished."""


@contextmanager
def runner(known: Known, processes: int) -> Iterator[Runner]:
    """Gives what makes the runs of a row, with `processes` processes; one is this process itself."""
    with at_work(known, processes) as done:

        def run(setting: Setting, seeds: int, told: Callable[[int], None]) -> Runs:
            tasks = [(setting, chunk) for chunk in chunks(range(seeds))]
            return joined(_told(made, len(task[1]), told) for task, made in done(_chunk, tasks))

        yield run


def _chunk(known: Known, task: tuple[Setting, Sequence[int]]) -> Runs:
    setting, seeds = task
    return joined(run_seed(known, setting, seed) for seed in seeds)


def chunks(seeds: Sequence[int]) -> list[Sequence[int]]:
    """Returns seeds in the parts that a process takes at a time."""
    return [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]


def _told(runs: Runs, count: int, told: Callable[[int], None]) -> Runs:
    told(count)
    return runs


def joined(parts: Iterable[Runs]) -> Runs:
    """Returns runs as one, in the order of seeds and datasets."""
    made = list(parts)
    order = ["seed", "dataset"]
    answers = pd.concat([part.answers for part in made]).sort_values(order, ignore_index=True)
    curves = pd.concat([part.curves for part in made]).sort_values([*order, "at"], ignore_index=True)
    return Runs(answers, curves)
