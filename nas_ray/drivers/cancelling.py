"""Ends a search of Ray Tune that was cancelled, whatever its trials do."""

from __future__ import annotations

from typing import Any

from ray import tune

from nas_ray.drivers.plan import Listeners


class Cancelling(tune.Callback):  # type: ignore[misc]  # Ray ships no types
    """Asks the listeners in every step of Tune, of which there are ten a second at least."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Raises `Cancelled` where the search is, after which Tune ends its workers."""
        self._listeners.check()

    def __getstate__(self) -> dict[str, Any]:
        """Leaves the listeners out, which are of this process; Tune pickles its callbacks and never asks."""
        return {"_listeners": Listeners()}
