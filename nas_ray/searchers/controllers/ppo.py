"""PPO: several steps on the same archs, within a distance of the policy that drew them."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from nas_ray.searchers.controllers.controller import Controller
from nas_ray.searchers.controllers.policy import Net
from nas_ray.searchers.controllers.samples import Batch
from nas_ray.searchers.fitness import UNSAID, Fitness
from nas_ray.spaces.base import SearchSpace
from nas_ray.terminal.ranges import SOME, Range

CLIP = Range(0.0, 1.0, above=True)


class Ppo(Controller):
    """Maximises `min(r A, clip(r, 1 - c, 1 + c) A)` over the decisions of an update, in `epochs` steps.

    r is the chance of a decision over that when its arch was drawn, and A the reward less the moving average.
    So a late arch is compared with the policy that drew it, and once that is left behind in the direction of
    A it moves nothing.

    Source: Schulman, Wolski, Dhariwal, Radford and Klimov, "Proximal Policy Optimization Algorithms", 2017,
    equation 7; net, learning rate, entropy, momentum and 20 archs of an update: Zoph, Vasudevan, Shlens and
    Le, "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018.
    Differs: that paper gives neither the clip nor the steps of an update; they are those of the first one's
    kind, .2 and 4. There is no net for the value, as there is one reward for all decisions.

    Args:
        space: see `Controller`, as for all that is not here.
        fitness: see `ArchSearcher`.
        seed: see `ArchSearcher`.
        policy: see `Controller`.
        archs_per_update: see `Controller`.
        momentum: see `Controller`.
        entropy: see `Controller`.
        clip: c.
        epochs: steps of an update, each with all of its archs.
        **options: see `Controller`.

    Raises:
        UsageError: as `Controller`.
    """

    NAME: ClassVar[str] = "ppo"
    NET: ClassVar[Net] = Net(layers=1, units=100, spread=0.1)
    RATES: ClassVar[dict[str, float]] = {"categorical": 0.1, "lstm": 0.00035}
    ARCHS: ClassVar[dict[str, int]] = {"categorical": 20, "lstm": 20}

    def __init__(
        self,
        space: SearchSpace,
        *,
        fitness: Fitness = UNSAID,
        seed: int = 0,
        policy: str = "lstm",
        archs_per_update: int = 20,
        momentum: float = 0.95,
        entropy: float = 1e-5,
        clip: float = 0.2,
        epochs: int = 4,
        **options: Any,
    ) -> None:
        CLIP.check("clip of ppo", clip)
        SOME.check("epochs of ppo", epochs)
        self.clip, self.epochs = clip, epochs
        super().__init__(
            space,
            fitness=fitness,
            seed=seed,
            policy=policy,
            archs_per_update=archs_per_update,
            momentum=momentum,
            entropy=entropy,
            **options,
        )

    def weights(self, batch: Batch, logs: np.ndarray) -> np.ndarray:
        """Returns the gradient `[decisions of all samples]` of the clipped objective in `logs`."""
        ratios, advantages = batch.ratios(logs), batch.advantages()
        moves = np.where(advantages > 0, ratios < 1 + self.clip, ratios > 1 - self.clip)
        weights: np.ndarray = np.where(moves, ratios * advantages, 0.0)
        return weights

    def _learn(self, batch: Batch) -> None:
        for _ in range(self.epochs):
            super()._learn(batch)
