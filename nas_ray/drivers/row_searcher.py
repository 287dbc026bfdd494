"""Ray Tune's `Searcher` around a searcher of ours, where the trials are ours as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ray.tune.search import Searcher

from nas_ray.searchers.base import ArchSearcher


class RowSearcher(Searcher):  # type: ignore[misc]  # Ray ships no types
    """A searcher of ours as Ray Tune's, where trials are ours as well and report rows (`ArchTrial`).

    Args:
        searcher: what proposes archs; its `history` has the rows.

    Attributes:
        arch_searcher: the same; what Ray finds as `searcher` it takes for a `Searcher`.
    """

    def __init__(self, searcher: ArchSearcher) -> None:
        super().__init__()
        self.arch_searcher = searcher

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Returns the config of the next trial, None to wait, or `Searcher.FINISHED`."""
        return self.arch_searcher.suggest(trial_id)

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Passes the rows of an epoch on."""
        self.arch_searcher.on_trial_result(trial_id, result)

    def on_trial_complete(
        self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False
    ) -> None:
        """Passes the end of a trial on."""
        self.arch_searcher.on_trial_complete(trial_id, result, error)
