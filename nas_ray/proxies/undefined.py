"""Proxies that a minibatch leaves undefined for every net, told before any net is scored."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping

import torch
from torch import Tensor

from nas_ray.errors import UsageError, describe
from nas_ray.process.foreign_code import ForeignCode
from nas_ray.proxies import Proxy
from nas_ray.proxies.measured import MEASURED
from nas_ray.proxies.plugin_check import tiny_net

_SIDE = 8


def undefined_on(proxies: Mapping[str, Proxy], targets: Tensor, num_classes: int) -> dict[str, str]:
    """Returns why proxies have no value on so many images with these labels, whatever the net.

    Each sees noise in the place of the images on a tiny net. One that fails there with the labels `targets`
    `[B]`, and not with four images of each class, needs other images.
    """
    found = {}
    for name, proxy in proxies.items():
        if name in MEASURED:
            continue
        reason = _failure(name, proxy, targets, num_classes)
        if reason and not _failure(name, proxy, torch.arange(num_classes).repeat(4), num_classes):
            found[name] = reason
    return found


def check_defined(proxies: Mapping[str, Proxy], targets: Tensor, num_classes: int) -> None:
    """Checks that every proxy can have a value on so many images with these labels.

    Raises:
        UsageError: one cannot, for any net.
    """
    for name, reason in undefined_on(proxies, targets, num_classes).items():
        raise UsageError(
            f"Scores need a minibatch on which they are defined, but {name} is not for any net: {reason} "
            f"Raise --batch-size (now {len(targets)}), draw others with another seed, or leave {name} out."
        )


def _failure(name: str, proxy: Proxy, targets: Tensor, num_classes: int) -> str | None:
    """Returns why `proxy` has no value, None where it has one."""
    inputs = torch.randn(len(targets), 3, _SIDE, _SIDE, generator=torch.Generator().manual_seed(0))
    try:
        with ForeignCode(), contextlib.redirect_stdout(io.StringIO()):
            proxy(tiny_net(num_classes), inputs, targets)
    except Exception as error:  # plug-ins raise what they like
        said = str(error) if isinstance(error, ValueError) else describe(error)
        return said.removeprefix(f"{name}: ").rstrip(".") + "."
    return None
