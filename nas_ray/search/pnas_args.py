"""The arguments of progressive search; a light module, for quick answers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Literal

from nas_ray.search.arguments import SearchArgs
from nas_ray.terminal import ranges


@dataclass(frozen=True)
class PnasArgs(SearchArgs):
    """Arguments of progressive search."""

    beam: Annotated[int, ranges.SOME] = 256
    """K, archs that a stage evaluates and the next one extends; fewer, such as 16, for a short search."""
    predictor: Literal["mlp", "lstm"] = "mlp"
    """What predicts which of the larger archs are good: mlp or lstm."""
    ensemble: Annotated[int, ranges.SOME] = 5
    """Predictors whose mean counts; each of several learns from 4/5 of the rows."""
    epochs: Annotated[int, ranges.SOME] = 50
    """Passes of a predictor over the rows."""
    targets: Literal["auto", "accuracy", "ranks"] = "auto"
    """What is predicted: accuracy (the fitness is one, in percent), ranks of the fitness, or auto, the first
    where the fitness is valid_acc."""

    def smoked(self) -> SearchArgs:
        """Returns the same arguments with a tiny budget."""
        epochs = min(self.epochs, 2)
        return super(PnasArgs, dataclasses.replace(self, beam=min(self.beam, 2), epochs=epochs)).smoked()
