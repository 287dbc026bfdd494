"""Ray Tune's `Searcher` around a searcher of ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray.tune.search import Searcher

from nas_ray.drivers.by_value import ship_modules
from nas_ray.drivers.ray_compat import names_of_tune
from nas_ray.errors import UsageError
from nas_ray.rows import plain_row
from nas_ray.searchers.base import ArchSearcher
from nas_ray.searchers.messages import ROWS

OF_TUNE = names_of_tune()
"""What Tune adds to a result that a trial reports; it hands results on flat, as `config/arch`."""


class TuneSearcher(Searcher):  # type: ignore[misc]  # Ray ships no types
    """A searcher of ours as Ray Tune's `Searcher`, for `tune_search` and for a `tune.Tuner` of one's own.

    The config of a trial is `{"arch": str}` beside what `param_space` holds. What the trial reports last is
    the row of its arch, so the fitness names what is reported::

        searcher = RegularizedEvolution(space, fitness=Single(("valid_acc",)))
        tune.Tuner(
            lambda config: tune.report({"valid_acc": train(space.build(config["arch"], 10))}),
            tune_config=tune.TuneConfig(search_alg=TuneSearcher(searcher), num_samples=100),
        ).fit()

    `tune_search` keeps more: a journal that outlives a kill, rows of what failed, budgets in which known
    archs count.

    Args:
        searcher: what proposes archs; its `history` has the rows.
        metric: a name without which Tune refuses a result; the fitness is computed from whole rows.

    Raises:
        UsageError: `searcher` is no `ArchSearcher`.
    """

    def __init__(self, searcher: ArchSearcher, *, metric: str | None = None) -> None:
        if not isinstance(searcher, ArchSearcher):
            raise UsageError(
                f"TuneSearcher takes a nas_ray.ArchSearcher, got {searcher!r}; a Searcher of Ray needs none."
            )
        ship_modules()  # here, as a `tune.Tuner` of the user's own sends them
        super().__init__(metric=metric, mode=metric and "max")
        self.arch_searcher = searcher  # what Ray finds as `searcher` it takes for a `Searcher`

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Returns the config of the next trial, None to wait, or `Searcher.FINISHED`."""
        return self.arch_searcher.suggest(trial_id)

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Passes the rows of an epoch on."""
        self.arch_searcher.on_trial_result(trial_id, _reported(result))

    def on_trial_complete(
        self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False
    ) -> None:
        """Passes the end of a trial on."""
        self.arch_searcher.on_trial_complete(trial_id, None if result is None else _reported(result), error)

    def save(self, checkpoint_path: str) -> None:
        """Writes as JSON what happened so far and which trial carries what."""
        state = {"events": self.arch_searcher.events, "trials": self.arch_searcher.trials_in_flight}
        Path(checkpoint_path).write_text(json.dumps(state), encoding="utf-8")

    def restore(self, checkpoint_path: str) -> None:
        """Brings a new searcher to what `save` wrote; trials under way then are Tune's to go on with.

        What `ArchSearcher.save` wrote will do as well.
        """
        state = json.loads(Path(checkpoint_path).read_text(encoding="utf-8"))
        events, trials = (state, {}) if isinstance(state, list) else (state["events"], state["trials"])
        if self.arch_searcher.events != events:  # a wrapper of Ray pickles what it wraps, and so has it all
            self.arch_searcher.replay(events, trials)


def _reported(result: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a result without what Tune adds to it; one that no row can hold is a failed row."""
    if ROWS in result:
        return dict(result)
    try:
        return plain_row(
            {name: value for name, value in result.items() if name.partition("/")[0] not in OF_TUNE}
        )
    except TypeError as error:
        return {"error": str(error)}
