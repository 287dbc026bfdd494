"""Lazy layers of nets, such as `nn.LazyLinear`, which have no parameters before they have met data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy


def materialised(net: nn.Module, example: Callable[[], Any]) -> nn.Module:
    """Returns `net`, whose lazy layers have the shapes that `example` gives them.

    A net without lazy layers is returned as it is, and draws nothing from torch's generator. The pass is in
    evaluation mode, so statistics of BN stay as they were.

    Args:
        net: as its space builds it.
        example: makes inputs of a few examples; called where a layer is lazy.
    """
    if any(is_lazy(each) for each in (*net.parameters(), *net.buffers())):
        training = net.training
        with torch.no_grad():
            net.eval()(example())
        net.train(training)
    return net
