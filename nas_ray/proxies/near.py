"""NEAR: how many directions the activations of each layer fill."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nas_ray.proxies.channel_axis import ChannelAxis
from nas_ray.proxies.checks import checked
from nas_ray.proxies.hooks import batch_statistics, forward_hooks, forward_pre_hooks
from nas_ray.proxies.needs import needs

NOT_ACTIVATIONS = {"MultiheadAttention", "Softmax", "Softmax2d", "LogSoftmax", "Softmin"}
ACTIVATIONS = tuple(
    getattr(nn.modules.activation, name)
    for name in nn.modules.activation.__all__
    if name not in NOT_ACTIVATIONS
)


@needs(modules=ACTIVATIONS, words="activation modules")
@checked
def near(net: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    """Returns the sum over layers of the effective ranks of pre- and post-activations; larger is better.

    A layer is a call of an activation function (any of `torch.nn`, so not only ReLU), its input and its
    output are the matrices `[B * positions, C]`, C being the last axis after a linear layer. The effective
    rank is `exp` of the entropy of the singular values divided by their sum: between 1 and C. A matrix of
    zeros adds 0.

    Shapes: `inputs [B, 3, H, W]`; `targets` is not used.
    Needs: one batch of images, one forward pass, no labels.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Husistein, Reiher and Eckhoff, "NEAR: A Training-Free Pre-Estimator of Machine Learning Model
    Performance", ICLR 2025.
    Differs: the released code takes C neighbouring rows at random from each matrix; here all rows count, so
    the score has no noise of its own. A rank of all rows may be larger or smaller than that of some. The
    released code takes the outputs of all convolutions, linear layers, normalisations and activations; here
    each activation function has one matrix before and one after it.

    Raises:
        ValueError: the net calls no activation module.
    """
    ranks: list[Tensor] = []
    channels = ChannelAxis()

    def before(activation: nn.Module, args: tuple[Any, ...]) -> None:
        ranks.append(effective_rank(rows_of_channels(args[0], channels.of(args[0]))))

    def after(activation: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        ranks.append(effective_rank(rows_of_channels(output, channels.of(output))))

    modules = [module for module in net.modules() if isinstance(module, ACTIVATIONS)]
    with (
        batch_statistics(net),
        channels.watching(net),
        forward_pre_hooks(modules, before),  # before an activation that works in place
        forward_hooks(modules, after),
        torch.no_grad(),
    ):
        net(inputs)
    if not ranks:
        raise ValueError("near: the net calls no activation module.")
    return float(torch.stack(ranks).sum())


def rows_of_channels(activation: Tensor, axis: int = 1) -> Tensor:
    """Returns `[B, ...]` with channels along `axis` as the matrix `[B * positions, C]`."""
    return activation.movedim(axis, -1).flatten(0, -2)


def effective_rank(matrix: Tensor) -> Tensor:
    """Returns `exp(entropy)` of the normalised singular values of `[n, C]`, 0 for a matrix of zeros.

    The squared singular values are the eigenvalues of the smaller Gram matrix, in float64.
    """
    wide = matrix.double()
    gram = wide.T @ wide if wide.shape[0] >= wide.shape[1] else wide @ wide.T
    singular = torch.linalg.eigvalsh(gram).clamp(min=0).sqrt()
    share = singular / singular.sum()
    return torch.nan_to_num(torch.special.entr(share).sum().exp(), nan=0.0)
