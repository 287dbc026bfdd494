"""Points as parameters of a trial of Optuna, which says which values they have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from nas_ray.searchers.recipes.coordinates import Coordinate, Coordinates, Options, interval_of
from nas_ray.searchers.variation import assembled
from nas_ray.spaces.dependence import is_there
from nas_ray.spaces.needs import decision_space

if TYPE_CHECKING:
    from nas_ray.spaces.base import SearchSpace


class Parameters(Protocol):
    """What a trial is asked for."""

    def chosen(self, trial: Any) -> str | None:
        """Returns the point that a trial chooses; None where that is no point of the space."""

    def given(self, point: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns the parameters of a point by name, and their distributions."""


class Decided:
    """Every decision of a space is a categorical parameter.

    Args:
        space: with decisions.

    Raises:
        UsageError: it has none.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = decision_space(space, "optuna")
        self._names = [f"decision_{place:03d}" for place in range(len(self._space.choices()))]

    def chosen(self, trial: Any) -> str | None:
        """Returns the point that a trial chooses; None where that is no point of the space."""
        decisions = [
            trial.suggest_categorical(name, options)
            for name, options in zip(self._names, self._space.choices(), strict=True)
        ]
        return assembled(self._space, decisions)

    def given(self, point: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns the parameters of a point by name, and their distributions."""
        import optuna

        options = zip(self._names, self._space.choices(), strict=True)
        kinds = {name: optuna.distributions.CategoricalDistribution(some) for name, some in options}
        return dict(zip(self._names, self._space.decisions(point), strict=True)), kinds


class Mixed:
    """Settings with ranges or conditions, alone or behind archs that have decisions or are one alone.

    Args:
        space: of settings.

    Raises:
        UsageError: its archs have no decisions.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._coordinates = Coordinates(space, "optuna")

    def chosen(self, trial: Any) -> str | None:
        """Returns the point that a trial chooses; None where that is no point of the space."""
        values: dict[str, str] = {}
        for name, kind in self._coordinates.kinds.items():
            if isinstance(kind, Options) or is_there(self._coordinates.settings, name, values):
                values[name] = (
                    kind.texts[trial.suggest_int(name, 0, len(kind.texts) - 1)]
                    if interval_of(kind) is not None
                    else trial.suggest_categorical(name, kind.texts)
                )
        return self._coordinates.join(values, lambda setting: setting.texts[0])

    def given(self, point: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns the parameters of a point by name, and their distributions."""
        values = self._coordinates.split(point)
        there = {name: kind for name, kind in self._coordinates.kinds.items() if name in values}
        taken = {
            name: kind.place(values[name]) if interval_of(kind) is not None else values[name]
            for name, kind in there.items()
        }
        return taken, {name: _distribution(kind) for name, kind in there.items()}


def _distribution(kind: Coordinate) -> Any:
    """Returns what Optuna draws from: the options, or the places of a range."""
    import optuna

    if interval_of(kind) is not None:
        return optuna.distributions.IntDistribution(0, len(kind.texts) - 1)
    return optuna.distributions.CategoricalDistribution(kind.texts)
