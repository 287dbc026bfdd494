"""Images become labels and confidences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nas_ray.errors import UsageError
from nas_ray.training.trained import TrainedNet
from tests.training.test_trained import FACTS, SIZE, small


@pytest.fixture
def net() -> TrainedNet:
    return small()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(7, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_a_row_for_each_image(net: TrainedNet, images: torch.Tensor, batch_size: int) -> None:
    found = net.predict(images, batch_size=batch_size)
    sure, places = net(images).softmax(1).max(1)
    assert found.columns.tolist() == ["image", "label", "confidence"]
    assert found["image"].tolist() == list(range(7))
    assert found["label"].tolist() == [FACTS.classes[place] for place in places]
    np.testing.assert_allclose(found["confidence"], sure.detach(), rtol=1e-5)


def test_it_prints_as_a_table(net: TrainedNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (20, 30), "red").save("red.png")
    head, row = str(net.predict("red.png")).splitlines()
    assert head.split() == ["image", "label", "confidence"]
    number, file, label, confidence = row.split()
    assert (number, file) == ("0", "red.png")
    assert label in FACTS.classes
    assert 1 / 3 < float(confidence) < 1


def test_the_net_stays_as_it_is(net: TrainedNet, images: torch.Tensor) -> None:
    expected = net.predict(images)
    net.train()
    net.net[1].eval()  # type: ignore[index]
    state = {name: value.clone() for name, value in net.state_dict().items()}
    modes = [module.training for module in net.modules()]
    assert net.predict(images).equals(expected), "it evaluates"
    assert [module.training for module in net.modules()] == modes
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    with pytest.raises(UsageError):
        net.predict("no/such")
    assert [module.training for module in net.modules()] == modes
    assert torch.is_grad_enabled()


def test_half_precision(net: TrainedNet, images: torch.Tensor) -> None:
    assert net.half().predict(images)["label"].tolist() == small().predict(images)["label"].tolist()


@pytest.mark.parametrize("given", [[], (), iter([])])
def test_no_images(net: TrainedNet, given: Any) -> None:
    with pytest.raises(UsageError, match="^A prediction needs at least one image, got none.$"):
        net.predict(given)


@pytest.mark.parametrize("size", [0, -1, 1.5, None, "4"])
def test_a_batch_has_a_size(net: TrainedNet, images: torch.Tensor, size: Any) -> None:
    with pytest.raises(UsageError, match="^batch_size must be a whole number of at least 1, got "):
        net.predict(images, batch_size=size)


def test_damaged_files(net: TrainedNet, tmp_path: Path) -> None:
    for name in ("a", "c"):
        (tmp_path / f"{name}.png").write_bytes(b"damaged")
    with pytest.raises(UsageError, match=r"a\.png is not \("):
        net.predict(tmp_path, skip_unreadable=True)
    Image.new("RGB", (20, 30)).save(tmp_path / "b.png")
    found = net.predict(tmp_path, skip_unreadable=True)
    assert found["image"].tolist() == [str(tmp_path / "b.png")]
    assert len(found.attrs["skipped"]) == 2
    with pytest.raises(UsageError, match=r"a\.png is not \("):
        net.predict(tmp_path)


def test_a_net_without_an_answer_says_so(net: TrainedNet, images: torch.Tensor) -> None:
    with torch.no_grad():
        next(net.parameters())[0] = float("nan")
    with pytest.raises(UsageError) as caught:
        net.predict(images)
    assert str(caught.value) == (
        "A net must give numbers, but this one gives NaN or infinity for 0; its weights are damaged, or its "
        "training diverged."
    )
