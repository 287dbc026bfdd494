"""Architecture parameters `[E, O]` and what they make: the weights of operations, drawn or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nas_ray.shared_weights.methods.chance import Chance


@dataclass(frozen=True)
class Drawn:
    """The weights of operations for one pass.

    Attributes:
        weights: `[E, O]`, with a gradient to the parameters where they have one.
        active: bool `[E, O]` on the CPU, what is computed; None for everything.
    """

    weights: Tensor
    active: Tensor | None = None


@dataclass(frozen=True)
class Kind:
    """How parameters `[E, O]` become weights; `keep` is bool `[E, O]`: operations that are still there.

    Attributes:
        draw: `(logits, keep, chance) -> Drawn`.
        strengths: `(logits, keep) -> [E, O]`: how much each operation is preferred, without chance; what is
            not there any more has 0.
    """

    draw: Callable[[Tensor, Tensor, Chance], Drawn]
    strengths: Callable[[Tensor, Tensor], Tensor]


def softmax(logits: Tensor, keep: Tensor) -> Tensor:
    """Returns the softmax over the operations of each edge, as `none` among them.

    Source: Liu et al., "DARTS: Differentiable Architecture Search", ICLR 2019, equation 2.
    Differs: none known.
    """
    return logits.masked_fill(~keep, -torch.inf).softmax(-1)


def gumbel(logits: Tensor, keep: Tensor, chance: Chance) -> Drawn:
    """Returns one operation per edge, whose gradient is that of the Gumbel-softmax.

    Forward it is exactly one-hot; backward every operation has the gradient of the soft weights at
    temperature `chance.tau`.

    Source: Dong and Yang, "Searching for A Robust Neural Architecture in Four GPU Hours", CVPR 2019,
    equations 3 to 5; noise is added to logarithms of probabilities, as released.
    Differs: the one-hot weights are 0 and 1 exactly, not up to rounding.
    """
    noise = chance.exponential(logits).log().neg()
    log_probabilities = logits.masked_fill(~keep, -torch.inf).log_softmax(-1)
    soft = ((log_probabilities + noise) / chance.tau).softmax(-1)
    hard = F.one_hot(soft.detach().argmax(-1), soft.shape[-1])
    return Drawn(_StraightThrough.apply(soft, hard.to(soft)), hard.bool().cpu())


class _StraightThrough(torch.autograd.Function):
    """Forward `hard`, backward as if it were `soft`."""

    @staticmethod
    def forward(context: Any, soft: Tensor, hard: Tensor) -> Tensor:
        return hard

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


def concentration(logits: Tensor) -> Tensor:
    """Returns the parameters of the Dirichlet distribution: `elu(logits) + 1`, above 0."""
    return F.elu(logits) + 1


def dirichlet(logits: Tensor, keep: Tensor, chance: Chance) -> Drawn:
    """Returns weights drawn from a Dirichlet distribution per edge, with their pathwise gradient.

    Source: Chen et al., "DrNAS: Dirichlet Neural Architecture Search", ICLR 2021, equations 4 to 6 and the
    release.
    Differs: drawn on the device of the parameters, so seeds mean something else on a GPU.
    """
    return Drawn(_Dirichlet.apply(concentration(logits), keep, chance.beside(logits)))


class _Dirichlet(torch.autograd.Function):
    """A Dirichlet sample over what is kept in each row, by a generator of one's own."""

    @staticmethod
    def forward(context: Any, concentrations: Tensor, keep: Tensor, generator: torch.Generator) -> Tensor:
        tiny = torch.finfo(concentrations.dtype).tiny
        parts = torch._standard_gamma(concentrations.clamp(min=tiny), generator=generator)
        parts = parts.clamp(min=tiny) * keep
        sample: Tensor = parts / parts.sum(-1, keepdim=True)
        context.save_for_backward(sample, concentrations * keep, keep)
        return sample

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        sample, concentrations, keep = context.saved_tensors
        total = concentrations.sum(-1, keepdim=True).expand_as(sample)
        safe = torch.where(keep, concentrations, 1.0)
        slope = torch._dirichlet_grad(torch.where(keep, sample, 0.5), safe, total.clamp(min=1e-30))
        centred = gradients[0] - (sample * gradients[0]).sum(-1, keepdim=True)
        return torch.where(keep, slope * centred, 0.0), None, None


def dirichlet_mean(logits: Tensor, keep: Tensor) -> Tensor:
    """Returns the mean of the Dirichlet distribution of each edge."""
    kept = concentration(logits) * keep
    return kept / kept.sum(-1, keepdim=True)


def sigmoid(logits: Tensor, keep: Tensor) -> Tensor:
    """Returns a weight for each operation that does not depend on the others.

    Source: Chu et al., "Fair DARTS: Eliminating Unfair Advantages in Differentiable Architecture Search",
    ECCV 2020, equation 2.
    Differs: one operation per edge is derived as in DARTS, which the release has as an option; the paper
    keeps all above a threshold.
    """
    return logits.sigmoid() * keep


def _plain(weights: Callable[[Tensor, Tensor], Tensor]) -> Kind:
    return Kind(lambda logits, keep, chance: Drawn(weights(logits, keep)), weights)


KINDS: dict[str, Kind] = {
    "softmax": _plain(softmax),
    "sigmoid": _plain(sigmoid),
    "gumbel": Kind(gumbel, softmax),
    "dirichlet": Kind(dirichlet, dirichlet_mean),
}
"""How parameters become weights; single paths without parameters are in `paths.py`."""
