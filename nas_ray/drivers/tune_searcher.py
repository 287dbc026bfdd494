"""Ray Tune's `Searcher` around a searcher of ours, for any tuner."""

from __future__ import annotations

import inspect
import json
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nas_ray.drivers.beside_arch import BesideArch
from nas_ray.drivers.by_value import ship_modules
from nas_ray.drivers.ray_compat import Unchecked
from nas_ray.drivers.reported import RAISED_ERROR, row_of
from nas_ray.drivers.row_searcher import RowSearcher
from nas_ray.errors import UsageError, describe
from nas_ray.rows import ERROR, ERROR_KIND, FOUND, GIVEN, LEADING
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.fitness import Single, Unsaid
from nas_ray.searchers.messages import ROWS
from nas_ray.searchers.pareto import Negated

OF_A_ROW = frozenset({*LEADING, FOUND, GIVEN, ROWS, ERROR, ERROR_KIND, "fitness", "finished_at", "reused"})
"""What the row of a trial says by itself, whatever the trial reports under these names."""
PATIENCE_S = 60.0
"""How long a restored searcher that has to wait believes in trials of which it has not heard since."""


class TuneSearcher(RowSearcher):
    """A searcher of ours as Ray Tune's `Searcher`, for a `tune.Tuner` of one's own.

    The config of a trial is `{"arch": str}` beside what `param_space` holds. What the trial reports last is
    the row of its arch::

        searcher = RegularizedEvolution(space)
        tune.Tuner(
            lambda config: tune.report({"loss": train(space.build(config["arch"], 10), config["lr"])}),
            param_space={"lr": tune.loguniform(1e-3, 1e-1)},
            tune_config=tune.TuneConfig(
                search_alg=TuneSearcher(searcher, metric="loss", mode="min"), num_samples=100
            ),
        ).fit()

    A trial that raises, that does not report the metric, or reports NaN, is a failed row; one that a
    scheduler stops has the row of its last report; one that is cancelled before its first has none.

    `tune_search` keeps more: a journal that outlives a kill, budgets in which known archs count, trials of
    several archs, a second try for trials that lacked memory.

    Args:
        searcher: what proposes archs; its `history` has the rows.
        metric: what is maximised or minimised; None for the fitness of `searcher`, or where it has none over
            several scores, the `metric` of `TuneConfig`, which Tune tells only beside a `param_space`.
        mode: `max` or `min`; that of `TuneConfig` counts with the metric of `TuneConfig`.
        key: where the config of a trial has its arch.

    Raises:
        UsageError: `searcher` is no `ArchSearcher`, or another argument is none of these.
    """

    def __init__(
        self, searcher: ArchSearcher, metric: str | None = None, mode: str = "max", key: str = "arch"
    ) -> None:
        _check(searcher, metric, mode, key)
        ship_modules()  # here, as a `tune.Tuner` of the user's own sends them
        super().__init__(searcher)
        self._key, self._beside = key, BesideArch({}, key)
        self._own, self._mode, self._warned = metric is not None, mode, False
        self._unheard, self._waits_since = set[str](), 0.0
        self._of_tune = False  # whether Tune restores, whose trials go on
        names = self._scores
        if metric is None and mode == "min" and len(names) > 1:
            raise UsageError(f"mode='min' needs a metric, as a fitness of {', '.join(names)} is maximised.")
        if metric is not None or (mode == "min" and names):
            self._aim(metric or names[0], mode)
        elif len(names) == 1:
            self._metric = Unchecked(names[0])  # `Repeater` passes nothing else on

    def set_search_properties(
        self, metric: str | None, mode: str | None, config: Mapping[str, Any], **_: Any
    ) -> bool:
        """Takes the metric of a `TuneConfig` and a `param_space`, which Tune tells before the first trial.

        Raises:
            UsageError: the `param_space` has a grid, or the arch.
        """
        self._beside = BesideArch(config, self._key)
        if metric is not None and not self._own and self._may_change():
            self._aim(metric, mode or self._mode)
        return True

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Returns the config of the next trial, None to wait, or `Searcher.FINISHED`.

        Raises:
            UsageError: neither a fitness nor a metric was given.
        """
        if isinstance(self.arch_searcher.fitness, Unsaid):
            raise UsageError(
                "TuneSearcher must know what to maximise; name it as TuneSearcher(..., metric=...), since "
                "Tune tells that of TuneConfig only where there is a param_space."
            )
        config = self.arch_searcher.suggest(trial_id)
        if config is None and self._waits_in_vain():
            config = self.arch_searcher.suggest(trial_id)
        if not isinstance(config, dict):
            return config
        number, _ = self.arch_searcher.trials_in_flight[trial_id][0]
        beside = self._beside.draw(self.arch_searcher.seed, number)
        return {**beside, **{self._key if name == "arch" else name: value for name, value in config.items()}}

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Keeps a report of a trial that goes on, which is its row if it is stopped while it is paused."""
        self._unheard.discard(trial_id)
        super().on_trial_result(trial_id, row_of(result, self._scores))

    def on_trial_complete(
        self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False
    ) -> None:
        """Passes on what a trial reported last, or that it failed."""
        self._unheard.discard(trial_id)
        if not result:  # Tune tells a trial that was stopped before its first report with an empty one
            super().on_trial_complete(trial_id, RAISED_ERROR if error else None)
            return
        row = row_of(result, self._scores)
        self._warn_of(trial_id, row)
        super().on_trial_complete(trial_id, row)

    def save(self, checkpoint_path: str) -> None:
        """Writes as JSON what happened so far, which trial carries what, and what the tuner had told."""
        state = {
            "events": self.arch_searcher.events,
            "trials": self.arch_searcher.trials_in_flight,
            "metric": None if self._metric is None else str(self._metric),
            "mode": self._mode,
            "beside": self._beside.as_json(),
        }
        Path(checkpoint_path).write_text(json.dumps(state), encoding="utf-8")

    def restore(self, checkpoint_path: str) -> None:
        """Brings a new searcher to what `save` wrote, for another tuner: what was under way goes out again.

        What `ArchSearcher.save` wrote will do as well.

        Raises:
            UsageError: it is damaged, or this searcher is not new.
        """
        try:
            self._go_on(_read(Path(checkpoint_path)))
        except UsageError:
            raise
        except (OSError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise UsageError(
                f"{checkpoint_path} must hold the state of this searcher, and does not ({describe(error)}); "
                "start a new search."
            ) from error

    def _go_on(self, state: Mapping[str, Any]) -> None:
        if state["metric"] and not self._own and self._may_change():
            self._aim(state["metric"], state["mode"])
        trials = state["trials"] if self._of_tune else {}
        if self._of_tune and not self._beside:
            self._beside = BesideArch.from_json(state["beside"], self._key)
        if self.arch_searcher.events != state["events"]:  # else it is the one that was saved
            if self.arch_searcher.num_asked:
                raise UsageError(
                    "A searcher that is restored must be new, got one that was asked for archs already."
                )
            self.arch_searcher.replay(state["events"], trials)
            self._unheard, self._waits_since = set(trials), 0.0

    def restore_from_dir(self, checkpoint_dir: str) -> None:
        """Is what `Tuner.restore` calls, and then goes on with the trials that were under way."""
        self._of_tune = True
        try:
            super().restore_from_dir(checkpoint_dir)
        finally:
            self._of_tune = False

    @property
    def _scores(self) -> Sequence[str]:
        """What the fitness looks at."""
        return getattr(self.arch_searcher.fitness, "names", ())

    def _aim(self, metric: str, mode: str) -> None:
        if metric in OF_A_ROW:
            raise UsageError(
                f"metric must be what trials report, and a row has {metric} of its own; let them report it "
                "under another name."
            )
        self._metric, self._mode = Unchecked(metric), mode
        self.arch_searcher.maximise(Single((metric,)) if mode == "max" else Negated(metric))

    def _may_change(self) -> bool:
        """Returns whether a metric says more than the fitness: none, that of one score, or a default one."""
        fitness = self.arch_searcher.fitness
        default = inspect.signature(type(self.arch_searcher)).parameters.get("fitness")
        return isinstance(fitness, (Unsaid, Single, Negated)) or (
            default is not None and type(default.default) is type(fitness) and default.default == fitness
        )

    def _waits_in_vain(self) -> bool:
        """Returns whether all that is under way has been silent for long since a restore; it is lost then."""
        if not self._unheard or self._unheard != set(self.arch_searcher.trials_in_flight):
            self._waits_since = 0.0
            return False
        self._waits_since = self._waits_since or time.monotonic()
        if time.monotonic() - self._waits_since < PATIENCE_S:
            return False
        self.arch_searcher.lose(self._unheard)
        self._unheard = set()
        return True

    def _warn_of(self, trial_id: str, row: Mapping[str, Any]) -> None:
        """Warns once of a metric that is not reported: its name may be mistyped."""
        if not self._warned and any(name not in row for name in self._scores) and ROWS not in row:
            self._warned = True
            warnings.warn(f"Trial {trial_id} has failed for its searcher: {row[ERROR]}.", stacklevel=2)


def _check(searcher: object, metric: object, mode: object, key: object) -> None:
    if not isinstance(searcher, ArchSearcher):
        raise UsageError(
            f"TuneSearcher takes a nas_ray.ArchSearcher, got {searcher!r}; a Searcher of Ray needs none."
        )
    if metric is not None and not (isinstance(metric, str) and metric):
        raise UsageError(
            f"metric must be the name of one thing that trials report, got {metric!r}; for several give the "
            "searcher a fitness, such as RankSum(('a', 'b'))."
        )
    if mode not in ("max", "min"):
        raise UsageError(f"mode must be 'max' or 'min', got {mode!r}.")
    if not (isinstance(key, str) and key):
        raise UsageError(f"key must be the name under which a config has its arch, got {key!r}.")


def _read(path: Path) -> dict[str, Any]:
    """Returns what `save` wrote, with what earlier versions did not."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(
            f"{path} must hold the state of a searcher as JSON, but it is damaged; start a new search."
        ) from error
    state = {"events": state} if isinstance(state, list) else state
    return {"trials": {}, "metric": None, "mode": "max", "beside": {}, **state}
