from __future__ import annotations

import torch
from torch import nn

from nas_ray.proxies.hooks import batch_statistics, forward_hooks, forward_pre_hooks, requiring_grad


def test_hooks_are_removed_also_after_an_error() -> None:
    layer = nn.Linear(2, 2)
    try:
        with forward_hooks([layer], lambda *_: None), forward_pre_hooks([layer], lambda *_: None):
            assert layer._forward_hooks
            assert layer._forward_pre_hooks
            raise RuntimeError
    except RuntimeError:
        pass
    assert not layer._forward_hooks
    assert not layer._forward_pre_hooks


def test_bn_uses_the_batch_and_keeps_its_running_statistics() -> None:
    net = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout())
    net[1].eval()
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    images = torch.randn(4, 3, 5, 5) * 7 + 2
    with batch_statistics(net):
        output = net(images)
    torch.testing.assert_close(output.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(output.var((0, 2, 3), correction=0), torch.ones(3), atol=1e-4, rtol=0)
    assert all(torch.equal(buffer, before[name]) for name, buffer in net.named_buffers())
    assert net.training
    assert net[0].training
    assert net[0].track_running_stats
    assert not net[1].training


def test_bn_on_one_value_per_channel_uses_running_statistics() -> None:
    norm = nn.BatchNorm2d(3).eval()
    norm.running_mean.fill_(2)
    with batch_statistics(norm):
        output = norm(torch.full((1, 3, 1, 1), 5.0))
    torch.testing.assert_close(output, torch.full((1, 3, 1, 1), 3.0), atol=1e-4, rtol=0)


def test_flags_are_restored() -> None:
    parameters = [nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1), requires_grad=False)]
    with torch.no_grad(), requiring_grad(parameters):
        assert torch.is_grad_enabled()
        assert all(parameter.requires_grad for parameter in parameters)
    assert [parameter.requires_grad for parameter in parameters] == [True, False]
