"""SWAP: how many different ways of answering to a batch the neurons of an untrained net have."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import checked
from nas_ray.proxies.hooks import batch_statistics, forward_hooks
from nas_ray.proxies.naswot import RELUS
from nas_ray.proxies.needs import needs

WORD = 62
"""Images whose signs fit into one positive int64."""


@needs(modules=RELUS, words="ReLU modules")
@checked
def swap(
    net: nn.Module, inputs: Tensor, targets: Tensor, *, mu: float | None = None, sigma: float | None = None
) -> float:
    """Returns the number of distinct sign patterns of ReLU units over the batch; larger is better.

    The pattern of a unit says for each of the B images whether its pre-activation is positive, so there
    are at most `2^B` patterns and at most as many as units. With `mu` and `sigma` the number is multiplied
    by `exp(-(params - mu)^2 / sigma)`, params in thousands: the regularisation that draws a search to a size.

    Shapes: `inputs [B, 3, H, W]`; `targets` is not used.
    Needs: one small batch of images (the paper uses 16 to 32; with more, nearly every unit has a pattern
    of its own and the score turns into the number of units), one forward pass, no labels.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Peng, Song, Fayek, Ciesielski and Chang, "SWAP-NAS: Sample-Wise Activation Patterns for
    Ultra-fast NAS", ICLR 2024.
    Differs: the released code averages over 32 initialisations by N(0, 1), which removes noise, and leaves
    out ReLUs after linear layers; here the net is scored once with the weights that it has, and all ReLUs
    count.

    Raises:
        ValueError: fewer than two images, only one of `mu` and `sigma`, or the net calls no ReLU module.
    """
    if len(inputs) < 2:
        raise ValueError(f"swap: needs a batch of at least 2 images, got {len(inputs)}.")
    if (mu is None) != (sigma is None):
        raise ValueError(f"swap: mu and sigma go together, got mu={mu} and sigma={sigma}.")
    patterns: list[Tensor] = []

    def record(relu: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        patterns.append(distinct_columns(pack_signs(output)))

    relus = [module for module in net.modules() if isinstance(module, RELUS)]
    with batch_statistics(net), forward_hooks(relus, record), torch.no_grad():
        net(inputs)
    if not patterns:
        raise ValueError("swap: the net calls no ReLU module.")
    count = distinct_columns(torch.cat(patterns, dim=1)).shape[1]
    if mu is None or sigma is None:
        return float(count)
    size = sum(parameter.numel() for parameter in net.parameters()) / 1e3
    return count * math.exp(-((size - mu) ** 2) / sigma)


def pack_signs(activations: Tensor) -> Tensor:
    """Returns the signs of `[B, ...]` activations as int64 `[words, units]`, 62 images to the word."""
    signs = (activations.flatten(1) > 0).long()
    weights = 2 ** torch.arange(WORD, device=signs.device)
    return torch.stack([(part * weights[: len(part), None]).sum(0) for part in torch.split(signs, WORD)])


def distinct_columns(words: Tensor) -> Tensor:
    """Returns `[words, units]` without repeated columns."""
    distinct: Tensor = torch.unique(words[0])[None] if len(words) == 1 else torch.unique(words, dim=1)
    return distinct
