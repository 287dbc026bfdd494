"""Zen: how strongly the features of a Gaussian net react to a Gaussian change of its input."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import LAYERS, checked
from nas_ray.proxies.hooks import batch_statistics, forward_hooks, forward_pre_hooks
from nas_ray.proxies.layout import with_channels_last
from nas_ray.proxies.needs import needs
from nas_ray.proxies.noise import gaussian_like, generator

SHAPELESS = (nn.Dropout, nn.Dropout2d, nn.Flatten, nn.Identity)


@needs(images=True, modules=(nn.BatchNorm2d,), words="BatchNorm2d")
@checked
@with_channels_last
def zen(
    net: nn.Module, inputs: Tensor, targets: Tensor, *, alpha: float = 0.01, repeats: int = 1, seed: int = 0
) -> float:
    """Returns `log mean |f(x) - f(x + alpha e)|_1 + sum over BNs of log s`; larger is better.

    f is the last feature map before global pooling, x and e are Gaussian noise, the mean is over images,
    and `s = sqrt(mean over channels of the batch variance)` of a BN in the pass of x, which undoes its
    scaling. A BN whose input is constant (a dead branch) has no scale and is left out. A net whose
    features do not react gives -inf.

    Shapes: of `inputs [B, 3, H, W]` only the shape is used; `targets` is not used.
    Needs: two forward passes of Gaussian images for each repeat; no data, no labels.
    Initialisation: weights N(0, 1), biases 0 and BN 1 and 0, drawn on a copy from `seed`; BN in batch mode.

    Source: Lin, Wang, Sun, Chen, Sun, Qian, Li and Jin, "Zen-NAS: A Zero-Shot NAS for High-Performance Image
    Recognition", ICCV 2021, algorithm 1.
    Differs: the released code reads s from BN's running variance, in which the initial 1 weighs 81 %
    after the two passes of a repeat, and less after more; here it is the variance of the pass itself, which
    moves each `log s` away from 0 and changes ranks a little (their correlation is .956). It averages over 32
    repeats, which removes noise. Its nets say where they are pooled; here the feature map is found by
    `last_map`.

    Raises:
        ValueError: the net has no feature map (an MLP), no BN, or convolutions and linear layers.
    """
    gaussian = copy.deepcopy(net)
    norms = [module for module in gaussian.modules() if isinstance(module, nn.BatchNorm2d)]
    if not norms:
        raise ValueError("zen: the net has no BN, whose scales the score needs.")
    for norm in norms:
        keep_last_variance(norm, norm.weight if norm.affine else next(gaussian.parameters(), inputs))
    source = generator(seed)
    scores = [zen_once(gaussian, norms, inputs, alpha, source) for _ in range(repeats)]
    return float(torch.stack(scores).mean())


def keep_last_variance(norm: nn.BatchNorm2d, like: Tensor) -> None:
    """Makes `running_var` of `norm` the variance of the batch that it last saw, which it computes anyway."""
    norm.running_mean = torch.zeros(norm.num_features).to(like)
    norm.running_var = torch.ones(norm.num_features).to(like)
    norm.num_batches_tracked = torch.tensor(0)
    norm.momentum = 1.0


def batch_variance(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Returns the variance `[C]` in float64 of `x [B, C, H, W]`, which `norm` has just normalised."""
    seen = norm.get_buffer("num_batches_tracked")
    if not seen:  # a class derived from BN that keeps none
        return x.double().var(dim=(0, 2, 3), correction=0)
    seen.zero_()
    values = x.numel() // x.shape[1]
    return norm.get_buffer("running_var").double() * (values - 1) / values


def zen_once(
    net: nn.Module, norms: list[nn.BatchNorm2d], inputs: Tensor, alpha: float, source: torch.Generator
) -> Tensor:
    """Returns the score of one initialisation; changes the weights of `net`."""
    log_scales: list[Tensor] = []

    def begin(net: nn.Module, args: tuple[Any, ...]) -> None:
        log_scales.clear()  # a pass may be repeated

    def measure(norm: nn.Module, args: tuple[Any, ...], output: Tensor) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        if norm.training:  # else there is a single value per channel, and no variance
            variance = batch_variance(norm, args[0]).mean()
            log_scales.append(torch.where(variance > 0, variance.log() / 2, 0.0))

    with torch.no_grad(), batch_statistics(net):
        for norm in norms:
            norm.track_running_stats = True
        initialise_gaussian(net, source)
        images = gaussian_like(inputs, source)
        noise = gaussian_like(inputs, source)
        with forward_pre_hooks([net], begin), forward_hooks(norms, measure):
            features = last_map(net, images)
        changed = last_map(net, images + alpha * noise)
    change = (features - changed).abs_().sum(dim=(1, 2, 3), dtype=torch.float64).mean()
    scales = torch.stack(log_scales).sum() if log_scales else torch.zeros_like(change)
    return change.log() + scales


def last_map(net: nn.Module, images: Tensor) -> Tensor:
    """Returns the last 4-D output `[B, C, H, W]` that is not (made of) the output of a global pooling.

    Modules are asked in the order in which their forward ends, so the feature map is the output of a whole
    block where the block adds something to that of its last layer, and needs no pooling module to be
    found.
    """
    kept, unchanged = _last_map(net, images, copies=False)
    return kept if unchanged else _last_map(net, images, copies=True)[0]


def _last_map(net: nn.Module, images: Tensor, copies: bool) -> tuple[Tensor, bool]:
    """Returns the map, and whether nothing that followed worked on it in place, as on no copy."""
    found: list[tuple[Tensor, int]] = []
    pooled = False

    def look(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        nonlocal pooled
        if isinstance(module, SHAPELESS) or not isinstance(output, Tensor):
            return
        leaf = next(module.children(), None) is None
        if leaf:
            pooled = is_global_pooling(module, output)
        if output.dim() == 4 and not pooled:
            kept = output.clone() if copies else output
            found[:] = [(kept, kept._version)]

    with forward_hooks(net.modules(), look):
        net(images)
    if not found:
        raise ValueError("zen: the net has no feature map [B, C, H, W] to compare; an MLP cannot be scored.")
    kept, version = found[0]
    return kept, kept._version == version


def is_global_pooling(module: nn.Module, output: Tensor) -> bool:
    """Returns whether `module` averages over the whole map."""
    adaptive = isinstance(module, (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d))
    return adaptive or (isinstance(module, nn.AvgPool2d) and output.shape[2:].numel() == 1)


def initialise_gaussian(net: nn.Module, source: torch.Generator) -> None:
    """Draws convolution and linear weights from N(0, 1); sets biases to 0, normalisations to 1 and 0."""
    for module in net.modules():
        if isinstance(module, LAYERS):
            module.weight.copy_(gaussian_like(module.weight, source))
        elif isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)) and module.affine:
            nn.init.ones_(module.weight)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
