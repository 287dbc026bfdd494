"""Which chains are archs of a space `macro`: those of its variant whose nets are within its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

from nas_ray.errors import UsageError
from nas_ray.spaces.macro.chain import Token, no_arch, tokens_of, written
from nas_ray.spaces.macro.plan import LINEAR, Step, steps_of
from nas_ray.spaces.macro.variant import RELEASED, Variant

SIZE: Final = 32
"""Height and width of the images that nets are drawn for; larger ones are averaged down to it."""
MOST_FEATURES: Final = 6_000
"""Values that a layer of the last features may take, as in the released code."""
VALUES_PER_MIB: Final = 2**18
"""Numbers of float32."""
_LIMIT_CLASSES: Final = 10


@dataclass(frozen=True)
class Rules:
    """The archs of a space.

    Args:
        variant: whether as released or as described.
        layers: most layers of a net, those of blocks counted each.
        params: most weights, with ten classes.
        memory: most MiB of the maps of one image of `SIZE` pixels, in float32; the weights come on top.
    """

    variant: Variant = RELEASED
    layers: int = 500
    params: int = 10_000_000
    memory: int = 16

    def read(self, arch: str) -> tuple[Token, ...]:
        """Returns the chain of an arch, known to be within the limits.

        Raises:
            UsageError: it is no arch, or its net is not within them.
        """
        tokens = tokens_of(arch)
        shaped = next((token for token in tokens if token.shaped), None)
        if shaped is not None and not self.variant.counted:
            raise no_arch(
                arch, f"has '{shaped}', and strides, paddings, dilations and groups need as=described"
            )
        steps, why = self._planned(tokens)
        if why is not None:
            raise UsageError(f"An arch of macro must make a net within limits, but {arch} {why}.")
        if self.variant.counted and (does := written([step.token for step in steps])) != arch:
            raise no_arch(arch, f"is written {does}, by what its layers do on {SIZE} pixels")
        return tokens

    def settled(self, tokens: Sequence[Token]) -> tuple[Token, ...] | None:
        """Returns the arch of a chain, which says what its layers do; None where no net is within limits."""
        steps, why = self._planned(tokens)
        if why is not None:
            return None
        return tuple(step.token for step in steps) if self.variant.counted else tuple(tokens)

    def why_not(self, tokens: Sequence[Token]) -> str | None:
        """Returns why a chain makes no net, the end of a sentence; None where it makes one."""
        return self._planned(tokens)[1]

    def _planned(self, tokens: Sequence[Token]) -> tuple[list[Step], str | None]:
        try:
            steps = steps_of(tokens, (3, SIZE, SIZE), _LIMIT_CLASSES)
        except UsageError as error:
            return [], f"cannot be built ({error})"
        return steps, self._above(steps)

    def _above(self, steps: Sequence[Step]) -> str | None:
        if sum(step.layers for step in steps) > self.layers:
            return f"has more than {self.layers:,} layers"
        for step in reversed(steps):
            if step.token.word in LINEAR:
                if (taken := prod(step.takes)) > MOST_FEATURES:
                    return f"has {taken:,} values before its last layers, more than {MOST_FEATURES:,}"
            elif step.token.word not in ("relu", "relu6", "dropout"):
                break
        if (params := sum(step.params for step in steps)) > self.params:
            return f"has {params:,} weights, more than {self.params:,}"
        memory = sum(step.values for step in steps) / VALUES_PER_MIB
        if memory > self.memory:
            return f"takes {memory:.1f} MiB for the maps of an image, more than {self.memory}"
        return None
