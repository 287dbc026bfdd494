"""A trained net takes images as others hold them, and stays a module like any other."""

from __future__ import annotations

import copy
import io
import math
import warnings

import pytest
import torch
from torch import Tensor, nn

from nas_ray.errors import UsageError
from nas_ray.images.splits import resize
from nas_ray.training import trained as module
from nas_ray.training.trained import NetFacts, TrainedNet

SIZE = 8
FACTS = NetFacts("a", "toy", 3, SIZE, ("cat", "dog", "eel"), (0.4, 0.5, 0.6), (0.2, 0.3, 0.1))


def small() -> TrainedNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)
        net = TrainedNet(nn.Sequential(*layers), FACTS)
        net(torch.rand(9, 3, SIZE, SIZE))
    return net.eval()


@pytest.fixture
def net() -> TrainedNet:
    return small()


@pytest.fixture
def bytes_() -> Tensor:
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (5, 3, SIZE, SIZE), dtype=torch.uint8, generator=generator)
    images[:, 0, 0, 0] = 255
    return images


def test_pixels_in_0_to_1_are_standardised_and_nothing_else(bytes_: Tensor) -> None:
    plain = bytes_ / 255
    found = TrainedNet(nn.Identity(), FACTS)(plain)
    mean, std = torch.tensor(FACTS.mean).view(3, 1, 1), torch.tensor(FACTS.std).view(3, 1, 1)
    assert torch.equal(found, (plain - mean) / std)


def test_other_forms_give_the_same_logits(net: TrainedNet, bytes_: Tensor) -> None:
    expected = net(bytes_ / 255)
    for given in (bytes_, bytes_.float(), bytes_.long(), (bytes_ / 255).double(), bytes_.permute(0, 2, 3, 1)):
        torch.testing.assert_close(net(given), expected)
    torch.testing.assert_close(net(bytes_[0]), expected[:1])
    large = torch.rand(2, 3, 21, 30)
    torch.testing.assert_close(net(large), net(torch.stack([resize(one, SIZE) for one in large])))


def test_wrong_images_are_refused(net: TrainedNet, bytes_: Tensor) -> None:
    for wrong in (bytes_ / 25, (bytes_ / 255 - 0.5) / 0.2, bytes_ * math.nan, bytes_[:, 0], bytes_[:0]):
        with pytest.raises(UsageError):
            net(wrong)
    with pytest.raises(UsageError) as caught:
        net(bytes_.numpy())
    assert str(caught.value) == (
        "images must be a tensor, got a ndarray; net.predict takes files, pictures and arrays."
    )


def test_it_is_trained_like_any_module(net: TrainedNet, bytes_: Tensor) -> None:
    plain = (bytes_ / 255).requires_grad_()
    net.train()
    before = [parameter.clone() for parameter in net.parameters()]
    optimiser = torch.optim.SGD(net.parameters(), 0.1)
    nn.functional.cross_entropy(net(plain), torch.tensor([0, 1, 2, 0, 1])).backward()
    optimiser.step()
    assert plain.grad is not None
    assert plain.grad.abs().sum() > 0
    assert all(not torch.equal(one, two) for one, two in zip(before, net.parameters(), strict=True))


def test_it_is_copied_halved_and_pickled(net: TrainedNet, bytes_: Tensor) -> None:
    assert copy.deepcopy(net).half()(bytes_).dtype is torch.float16
    assert copy.deepcopy(net).double()(bytes_).dtype is torch.float64
    file = io.BytesIO()
    torch.save(net, file)
    file.seek(0)
    assert torch.equal(torch.load(file, weights_only=False)(bytes_), net(bytes_))
    assert set(net.state_dict()) == {f"net.{name}" for name in net.net.state_dict()}


def test_a_compiled_net_has_one_graph_and_no_answer_for_wrong_images(net: TrainedNet, bytes_: Tensor) -> None:
    compiled = torch.compile(net, backend="eager", fullgraph=True)
    with torch.no_grad():
        for given in (bytes_ / 255, bytes_, bytes_.float(), bytes_.long()):
            torch.testing.assert_close(compiled(given), net(bytes_))
        for wrong in (bytes_ / 25, bytes_ / 255 - 0.5, bytes_.float() * math.nan):
            assert compiled(wrong).isnan().all()


def test_transformations_that_have_no_numbers_pass(net: TrainedNet, bytes_: Tensor) -> None:
    from torch._subclasses import FakeTensorMode

    plain = bytes_ / 255
    torch.testing.assert_close(torch.func.vmap(net)(plain[:, None])[:, 0], net(plain))
    with FakeTensorMode(allow_non_fake_inputs=True):
        assert net(torch.rand(2, 3, SIZE, SIZE)).shape == (2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated
        traced = torch.jit.trace(net, plain)
    torch.testing.assert_close(traced(plain), net(plain))


class Waits(Exception):
    """Stands for the moment in which a GPU is waited for."""


def test_a_gpu_that_trains_is_waited_for_once(net: TrainedNet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "white_of", lambda images: 1.0)
    elsewhere = _Elsewhere()
    net._looked = False
    assert net._white(elsewhere) == 1.0  # type: ignore[arg-type]
    monkeypatch.setattr(module, "white_of", _wait)
    monkeypatch.setattr(module, "white_unseen", lambda images: "unseen")
    assert net._white(elsewhere) == "unseen"  # type: ignore[arg-type, comparison-overlap]
    with torch.no_grad(), pytest.raises(Waits):
        net._white(elsewhere)  # type: ignore[arg-type]


class _Elsewhere:
    is_cpu = is_meta = False


def _wait(images: object) -> float:
    raise Waits


def test_on_a_device_that_cannot_be_read(net: TrainedNet) -> None:
    """As on a GPU: whatever would wait for it raises on the meta device."""
    far = net.to("meta")
    far._looked = True
    for dtype in (torch.float32, torch.uint8, torch.int64, torch.float64):
        images = torch.zeros(2, 20, 20, 4, dtype=dtype, device="meta")
        assert far(images).shape == (2, 3)
