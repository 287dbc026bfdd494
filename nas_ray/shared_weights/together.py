"""Whether the archs of a space can be scored together or on a supernet, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from nas_ray.errors import UsageError, describe
from nas_ray.evaluation.base import ChunkEvaluator
from nas_ray.process.foreign_code import around
from nas_ray.proxies import Proxy
from nas_ray.shared_weights.chunk_scores import ChunkScores
from nas_ray.shared_weights.size_scores import SizeScores
from nas_ray.spaces import NatsSss, NatsTss, SearchSpace
from nas_ray.spaces.stems import SMALL


@runtime_checkable
class TogetherSpace(Protocol):
    """A space whose archs can be scored together; `--archs-per-trial` asks.

    One line of a space of your own::

        def together(self, *batch, init_seed):
            return MyScores(self, *batch, init_seed=init_seed)
    """

    def together(
        self,
        num_classes: int,
        inputs: np.ndarray,
        targets: np.ndarray,
        proxies: Mapping[str, Proxy],
        *,
        init_seed: int,
    ) -> ChunkEvaluator:
        """Returns what scores several archs at once.

        Args:
            num_classes: outputs of the nets.
            inputs: images `[B, 3, H, W]`, float32.
            targets: labels `[B]`, int64.
            proxies: proxies by column name; rows have these columns.
            init_seed: seed of the weights.

        Raises:
            UsageError: these proxies cannot be computed together.
        """


SUPERNETS: dict[type, type[ChunkScores] | type[SizeScores]] = {NatsTss: ChunkScores, NatsSss: SizeScores}
"""What scores the archs of each built-in space together; a space derived from one builds nets of its own."""


def has_supernet(space: SearchSpace) -> bool:
    """Returns whether there is a supernet of `space`, on whose weights its archs are scored by default."""
    return type(space) in SUPERNETS and (not isinstance(space, NatsTss) or space.stem == SMALL)


def on_supernet(
    space: SearchSpace,
    num_classes: int,
    inputs: np.ndarray,
    targets: np.ndarray,
    proxies: Mapping[str, Proxy],
    *,
    init_seed: int,
    limits: Mapping[str, float] | None = None,
) -> ChunkEvaluator:
    """Returns what scores archs of `space` on the weights of its supernet, one or several at once.

    Args:
        space: one of those in `SUPERNETS`.
        num_classes: outputs of the nets.
        inputs: images `[B, 3, H, W]`, float32.
        targets: labels `[B]`, int64.
        proxies: proxies by column name.
        init_seed: seed of the weights.
        limits: most that a score, such as a measured latency, may be.

    Raises:
        UsageError: the space has another than the published stem.
    """
    known: Any = SUPERNETS[type(space)]
    made: ChunkEvaluator = known(
        space, num_classes, inputs, targets, proxies, init_seed=init_seed, limits=limits
    )
    return made


def has_together(space: SearchSpace) -> bool:
    """Returns whether the archs of `space` can be scored together."""
    return type(space) in SUPERNETS or isinstance(space, TogetherSpace)


def together(
    space: SearchSpace,
    num_classes: int,
    inputs: np.ndarray,
    targets: np.ndarray,
    proxies: Mapping[str, Proxy],
    *,
    init_seed: int,
) -> ChunkEvaluator:
    """Returns what scores several archs of `space` at once; the space `has_together`.

    Raises:
        UsageError: these proxies or nets cannot be scored together, or the space gives no evaluator.
    """
    if type(space) in SUPERNETS:
        return on_supernet(space, num_classes, inputs, targets, proxies, init_seed=init_seed)
    assert isinstance(space, TogetherSpace)
    try:
        with around(space)():
            made = space.together(num_classes, inputs, targets, proxies, init_seed=init_seed)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(
            f"The search space {type(space).__name__} could not say how its archs are scored together: "
            f"{describe(error)}; mend its method together, or leave --archs-per-trial out."
        ) from error
    if not isinstance(made, ChunkEvaluator):
        raise UsageError(
            f"The method together of the search space {type(space).__name__} must return an evaluator with "
            f"the methods __call__ and rows, got {type(made).__name__}."
        )
    return made
