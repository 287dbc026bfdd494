from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nas_ray.proxies import near
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch, conv_net, tss


def rank(activation: torch.Tensor) -> float:
    values = activation.detach().numpy()
    rows = np.concatenate([image.reshape(len(image), -1).T for image in values])
    singular = np.linalg.svd(rows, compute_uv=False)
    shares = [s / singular.sum() for s in singular if s > 0]
    return float(np.exp(-sum(p * np.log(p) for p in shares))) if shares else 0.0


def slow(net: nn.Module, inputs: torch.Tensor) -> float:
    ranks = []
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_pre_hook(lambda relu, args: ranks.append(rank(args[0])))
            module.register_forward_hook(lambda relu, args, output: ranks.append(rank(output)))
        if isinstance(module, nn.Dropout):
            module.p = 0
    net.train()
    net(inputs)
    return sum(ranks)


@pytest.mark.parametrize("arch", [*CONNECTED, DISCONNECTED])
def test_equals_a_slow_implementation(arch: str) -> None:
    inputs, targets = batch()
    assert near(tss(arch), inputs, targets) == pytest.approx(slow(tss(arch), inputs), rel=1e-6)


def test_relus_that_work_in_place_and_fewer_images_than_units() -> None:
    inputs, targets = batch(4)
    assert near(conv_net(), inputs, targets) == pytest.approx(slow(conv_net(), inputs), rel=1e-6)


def test_ranks_of_known_matrices() -> None:
    net = nn.Sequential(nn.Identity(), nn.ReLU())
    eye = torch.eye(4)
    assert near(net, eye, eye) == pytest.approx(4 + 4)
    ones = torch.ones(5, 3)
    assert near(net, ones, ones) == pytest.approx(1 + 1)
    # Rank 1 before, and after it only one of two opposite rows is left.
    opposite = torch.tensor([[1.0, 2.0], [-1.0, -2.0]])
    assert near(net, opposite, opposite) == pytest.approx(1 + 1)


def test_other_activations_count() -> None:
    eye = torch.eye(4)
    assert near(nn.Sequential(nn.GELU(), nn.Tanh()), eye, eye) == pytest.approx(16)


def test_no_activation() -> None:
    with pytest.raises(ValueError, match="^near: the net calls no activation module.$"):
        near(nn.Sequential(nn.Flatten(), nn.Softmax(1)), *batch())
