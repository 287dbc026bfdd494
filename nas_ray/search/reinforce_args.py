"""The arguments of the search with REINFORCE; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from nas_ray.search.arguments import SearchArgs
from nas_ray.terminal.ranges import ANY, MOMENTUM, RATE, SCALE, SOME, WEIGHT


@dataclass(frozen=True)
class ReinforceArgs(SearchArgs):
    """Arguments of REINFORCE (docs/searchers.md)."""

    policy: Literal["categorical", "lstm"] = "categorical"
    """categorical, a softmax for each decision, or lstm, a net that reads what was decided."""
    archs_per_update: Annotated[int, ANY] = 0
    """Archs of which the policy learns at once; 0 takes 1 with categorical and 8 with lstm."""
    lr: Annotated[float, RATE] = 0.0
    """Learning rate of Adam; 0 takes .1 with categorical and .0006 with lstm."""
    momentum: Annotated[float, MOMENTUM] = 0.9
    """Of the moving average of rewards that a reward is compared with."""
    entropy: Annotated[float, WEIGHT] = 0.0
    """Weight of the entropy of the policy, which is maximised beside the reward."""
    reward: Literal["auto", "raw", "cubed", "inverse_square", "rank"] = "auto"
    """What of the fitness is the reward: raw, an accuracy cubed, c over a perplexity squared, or its rank,
    the share of rows so far that are worse. auto: raw for valid_acc, which is an accuracy, else rank."""
    c: Annotated[float, SCALE] = 80.0
    """With --reward inverse_square, what is divided by the square of a perplexity."""
    late: Literal["use", "drop", "correct"] = "use"
    """What to do with a row whose arch was drawn some updates ago: use it, drop it if it is older than
    --max-age, or correct it by what the policy thinks of it now."""
    max_age: Annotated[int, ANY] = 10
    """With --late drop, updates after which an arch teaches nothing."""
    depth: Annotated[int, ANY] = 0
    """Layers at the beginning of archs that grow, for a space with layers; 0 leaves that to the space."""
    deepen_by: Annotated[int, SOME] = 2
    """With --depth, layers more after every --deepen-every archs."""
    deepen_every: Annotated[int, SOME] = 1600
    """With --depth, archs after which there are more layers."""
