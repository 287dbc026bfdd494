"""REINFORCE: the gradient of the expected reward, from archs that the policy draws."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from nas_ray.searchers.controllers.controller import CORRECT, DROP, USE, Controller
from nas_ray.searchers.controllers.policy import Net
from nas_ray.searchers.controllers.samples import Batch

MOST_RATIO = 2.0
"""Largest weight of a late sample: unlikely ones would be learnt from alone otherwise."""


class Reinforce(Controller):
    """Makes each arch of an update more likely by its reward less the moving average of rewards.

    With `late=correct` a sample counts by the chance of its arch now over the chance when it was drawn, at
    most `MOST_RATIO`; so the gradient is that of the policy as it is, but for this limit.

    Source: `policy=categorical`: Dong, Liu, Musial and Gabrys, "NATS-Bench: Benchmarking NAS Algorithms for
    Architecture Topology and Size", TPAMI 2021, and its released code, which takes one arch at a time;
    `policy=lstm`: Zoph and Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017, with its
    net, learning rate and 8 archs of an update. The estimator is that of Williams, "Simple Statistical
    Gradient-Following Algorithms for Connectionist Reinforcement Learning", Machine Learning 1992.
    Differs: the released commands have a learning rate of .01, which hardly leaves random search within
    their budget; .1 gives the published accuracy (`docs/reproduction.md`). The average includes the reward
    that is compared with it (`Baseline`), also with `lstm`, whose paper does not give its momentum.

    Args and rules are those of `Controller`.
    """

    NAME: ClassVar[str] = "reinforce"
    NET: ClassVar[Net] = Net(layers=2, units=35, spread=0.08)
    RATES: ClassVar[dict[str, float]] = {"categorical": 0.1, "lstm": 0.0006}
    ARCHS: ClassVar[dict[str, int]] = {"categorical": 1, "lstm": 8}
    LATE: ClassVar[tuple[str, ...]] = (USE, DROP, CORRECT)

    def weights(self, batch: Batch, logs: np.ndarray) -> np.ndarray:
        """Returns the advantages `[decisions of all samples]`, late ones corrected if so chosen."""
        if self.late != CORRECT:
            return batch.advantages()
        ratios = np.multiply.reduceat(batch.ratios(logs), batch.starts())
        corrected: np.ndarray = batch.advantages() * batch.spread(np.minimum(ratios, MOST_RATIO))
        return corrected
