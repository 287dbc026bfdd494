"""What is known of every arch where several objectives are searched, and the true fronts of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nas_ray.benchmarks.costs import Costs, check_signs, open_costs
from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS
from nas_ray.report.true_front import TrueFront
from nas_ray.reproduce.args import CompareArgs
from nas_ray.reproduce.known import Known
from nas_ray.reproduce.look_up import longest_held
from nas_ray.reproduce.measures import TRAINED
from nas_ray.searchers.fitness import Fitness
from nas_ray.searchers.pareto import Negated, column_of, parse_objectives
from nas_ray.spaces.base import FiniteSpace

ACCURACY = "accuracy"
"""Stands for the accuracy that searches may see."""


@dataclass(frozen=True)
class Wanted:
    """The objectives of a comparison.

    Attributes:
        text: of them, with the accuracy by its own name.
        costs: known of every arch without evaluating it.
        by: a fitness over what is evaluated, for `Setting`.
        remark: a sentence on the accuracy, empty where there is nothing to say.
    """

    text: str
    costs: Costs
    by: str
    remark: str = ""

    @property
    def objectives(self) -> list[Fitness]:
        """Functions of rows."""
        return parse_objectives(self.text)

    @property
    def names(self) -> list[str]:
        """The columns that they look at."""
        return [str(column_of(objective)) for objective in self.objectives]

    @property
    def accuracy(self) -> str | None:
        """The one accuracy among them; None where there is none, or where there are several."""
        found = [name for name in self.names if name in TRAINED]
        return found[0] if len(found) == 1 else None


def wanted(args: CompareArgs, space: FiniteSpace) -> Wanted:
    """Returns the objectives that `args` name.

    Raises:
        UsageError: one alone, an unknown or repeated one, a cost that would be maximised, or nothing to
            evaluate.
    """
    assert args.objectives is not None
    remark, by = "", args.by
    if by is None:
        by, remark = longest_held(args.benchmark, space)
    if by not in TRAINED:
        raise UsageError(
            f"With --objectives, --by says what accuracy stands for and must be {' or '.join(TRAINED)}, got "
            f"{by}; name scores among the objectives."
        )
    asked = parse_objectives(args.objectives)
    texts = [_named(objective, by) for objective in asked]
    text = ",".join(texts)
    names = [str(column_of(objective)) for objective in parse_objectives(text)]
    if len(names) < 2:
        raise UsageError(
            "--objectives must name at least two things, such as accuracy,-latency:pixel2, got "
            f"{args.objectives}."
        )
    costs = open_costs(args.costs, names, space)
    check_signs(texts, costs.columns)
    evaluated = [name for name in names if name not in costs.columns]
    if not evaluated:
        raise UsageError(
            f"One of --objectives must be evaluated, such as accuracy, and {args.objectives} are known of "
            "all archs."
        )
    if len(args.scores_file) > 1:
        raise UsageError(
            "--objectives takes scores of one table, as another has another true front; name one."
        )
    return Wanted(text, costs, f"rank_sum:{','.join(evaluated)}", remark if by in names else "")


def _named(objective: Fitness, by: str) -> str:
    if column_of(objective) != ACCURACY:
        return str(objective)
    if isinstance(objective, Negated):
        raise UsageError(f"An accuracy must be large, got the objective {objective}; write {ACCURACY}.")
    return by


@dataclass(frozen=True)
class Ground(Known):
    """What is known, with objectives and true fronts.

    Attributes:
        objectives: as text.
        truths: by dataset, of what the searches maximise.
        judged: by dataset, of the same with another accuracy, by which what was found is looked at
            afterwards; none where there is no other.
        measure: that accuracy.
    """

    objectives: str = ""
    truths: Mapping[str, TrueFront] = field(default_factory=dict)
    judged: Mapping[str, TrueFront] = field(default_factory=dict)
    measure: str = ""


def ground(known: Known, what: Wanted, measure: str, datasets: Sequence[str] = tuple(DATASETS)) -> Ground:
    """Returns `known` with the true fronts of its datasets.

    Args:
        known: accuracies and stored scores.
        what: the objectives.
        measure: an accuracy, by which fronts are looked at afterwards.
        datasets: that are searched.
    """
    truths = {dataset: TrueFront(_values(known, what, dataset, what.accuracy)) for dataset in datasets}
    judged: dict[str, TrueFront] = {}
    if what.accuracy is not None and measure != what.accuracy:
        judged = {dataset: TrueFront(_values(known, what, dataset, measure)) for dataset in datasets}
    held = {name: getattr(known, name) for name in Known.__dataclass_fields__}
    held["costs"] = what.costs
    return Ground(**held, objectives=what.text, truths=truths, judged=judged, measure=measure)


def _values(known: Known, what: Wanted, dataset: str, accuracy: str | None) -> np.ndarray:
    """Returns `[archs, objectives]`, larger is better, with `accuracy` in the place of the one searched."""
    columns = []
    for objective, name in zip(what.objectives, what.names, strict=True):
        if name in what.costs.columns:
            column = what.costs.values[:, what.costs.columns.index(name)]
        elif name in TRAINED:
            column = known.accuracy[dataset, accuracy if name == what.accuracy and accuracy else name]
        else:
            column = known.scores[0][name]
        columns.append(-column if isinstance(objective, Negated) else column)
    values = np.column_stack(columns).astype(float)
    values[~np.isfinite(values).all(axis=1)] = -np.inf  # as `objective_values`
    return values
