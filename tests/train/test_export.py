"""Exported files give the logits of the net, for any number of images, without this package."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import nas_ray
from nas_ray.errors import UsageError
from nas_ray.spaces import NatsTss
from nas_ray.train import export
from nas_ray.train.export import chosen_formats, write_onnx, write_pt2
from nas_ray.training.trained import NetFacts, TrainedNet
from tests.proxies.nets import CONNECTED

FACTS = NetFacts(CONNECTED[0], "nats-tss", 3, 96, ("a", "b", "c"), (0.4, 0.5, 0.6), (0.2, 0.3, 0.1))


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand(5, 3, 96, 96, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def trained(images: Tensor) -> TrainedNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return settled(NatsTss().for_image_size(96).build(FACTS.arch, 3), images)


@pytest.fixture(scope="module")
def small(images: Tensor) -> TrainedNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return settled(NatsTss(4, 1, "strided").build(FACTS.arch, 3), images)


def settled(net: nn.Module, images: Tensor) -> TrainedNet:
    """Returns a net whose running statistics are not those of a new one."""
    made = TrainedNet(net, FACTS)
    made.train()(images)
    return made.eval()


def test_exported_files_name_their_outputs(small: TrainedNet, images: Tensor, tmp_path: Path) -> None:
    import onnxruntime

    write_onnx(small, tmp_path / "model.onnx", images)
    write_pt2(small, tmp_path / "model.pt2", images)
    about = {export.FACTS: ""}
    torch.export.load(tmp_path / "model.pt2", extra_files=about)
    facts = json.loads(about[export.FACTS])
    assert (facts["classes"], facts["arch"]) == (["a", "b", "c"], FACTS.arch)
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    values = session.get_modelmeta().custom_metadata_map
    assert {name: json.loads(value) for name, value in values.items()} == facts


def test_load_gives_the_net_back(trained: TrainedNet, images: Tensor, tmp_path: Path) -> None:
    trained.save(tmp_path / "model.pt")
    again = nas_ray.load(tmp_path / "model.pt")
    assert again.facts == FACTS
    assert not again.training
    assert torch.equal(again(images), trained(images))
    assert torch.load(tmp_path / "model.pt", weights_only=True)["arch"] == FACTS.arch


def test_a_foreign_space_must_be_given(tmp_path: Path) -> None:
    class Mine:
        def build(self, arch: str, num_classes: int) -> nn.Module:
            return nn.Sequential(nn.Flatten(), nn.Linear(int(arch), num_classes))

    facts = NetFacts("12", "mine:Mine", 2, 2, ("a", "b"), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    net = TrainedNet(Mine().build("12", 2), facts)
    path = tmp_path / "model.pt"
    net.save(path)
    with pytest.raises(UsageError) as caught:
        nas_ray.load(path)
    assert str(caught.value) == (
        f"{path} holds a net of the space 'mine:Mine', which is none of nas_ray; pass the space itself, as "
        "in nas_ray.load(path, space=MySpace())."
    )
    pixels = torch.rand(1, 3, 2, 2)
    assert torch.equal(nas_ray.load(path, space=Mine())(pixels), net(pixels))  # type: ignore[arg-type]


def test_another_file_is_no_net(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(b"no net")
    with pytest.raises(UsageError, match=r"^A net is loaded from the model.pt that"):
        nas_ray.load(tmp_path / "model.pt")


def test_onnx_needs_nothing_of_this_package(small: TrainedNet, images: Tensor, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    assert write_onnx(small, path, images) < 1e-3
    np.save(tmp_path / "images.npy", images[:3].numpy())
    code = (
        "import sys, numpy, onnxruntime\n"
        "session = onnxruntime.InferenceSession('model.onnx')\n"
        "numpy.save('logits.npy', session.run(None, {'images': numpy.load('images.npy')})[0])\n"
        "assert not {'torch', 'nas_ray'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=120)
    with torch.no_grad():
        expected = small(images[:3]).numpy()
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), expected, rtol=1e-4, atol=1e-4)


def test_torch_export_takes_any_number_of_images(small: TrainedNet, images: Tensor, tmp_path: Path) -> None:
    path = tmp_path / "model.pt2"
    assert write_pt2(small, path, images) < 1e-4
    with torch.no_grad():
        found = torch.export.load(path).module()(images[:1])
        torch.testing.assert_close(found, small(images[:1]), rtol=1e-4, atol=1e-4)


def test_a_file_that_differs_is_refused(
    small: TrainedNet, images: Tensor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(torch.onnx, "export", lambda *_, **__: None)
    monkeypatch.setattr(export, "write_atomically", lambda *_: None)
    monkeypatch.setattr(export, "run_onnx", lambda *_: small(images).detach().numpy() + 0.01)
    with pytest.raises(UsageError, match=r"^model.onnx must give the logits .*, but differs by 0.01; "):
        write_onnx(small, tmp_path / "model.onnx", images)


def test_formats_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(export.NEEDS, "onnx", ("onnx", "no_such_package"))
    reason = "onnx needs no_such_package; install nas_ray[export]."
    assert chosen_formats(None) == (("pt2",), {"onnx": reason})
    assert chosen_formats(["none"]) == ((), {})
    with pytest.raises(UsageError) as caught:
        chosen_formats(["onnx"])
    assert str(caught.value) == f"--formats onnx cannot be written here: {reason}"
    with pytest.raises(UsageError, match=r"^Unknown format 'onxn'. Did you mean 'onnx'\?"):
        chosen_formats(["onxn"])


@pytest.mark.slow(faster="test_exported_files_name_their_outputs")
def test_pixels_of_0_to_255_are_known_in_exported_files_and_others_have_no_answer(
    small: TrainedNet, images: Tensor, tmp_path: Path
) -> None:
    write_onnx(small, tmp_path / "model.onnx", images)
    write_pt2(small, tmp_path / "model.pt2", images)
    program = torch.export.load(tmp_path / "model.pt2").module()
    whole = (images * 255).round()
    with torch.no_grad():
        expected = small(whole.to(torch.uint8)).numpy()
        np.testing.assert_allclose(program(whole).numpy(), expected, rtol=1e-4, atol=1e-4)
    found = export.run_onnx(tmp_path / "model.onnx", whole.numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    broken = images.clone()
    broken[1, 2, 3, 4] = float("nan")
    for wrong in (images * 300, (images - 0.5) / 0.2, images * 16, broken):
        assert np.isnan(export.run_onnx(tmp_path / "model.onnx", wrong.numpy())).any(1)[1]
        with (
            pytest.raises(RuntimeError, match="^Pixels must lie in 0..1, or be whole numbers"),
            torch.no_grad(),
        ):
            program(wrong)
    bytes_ = whole.to(torch.uint8)
    with pytest.raises(RuntimeError, match="Expected: Float, Got: unsigned char"):
        program(bytes_)
    with pytest.raises(Exception, match=r"Actual: \(tensor\(uint8\)\) , expected: \(tensor\(float\)\)"):
        export.run_onnx(tmp_path / "model.onnx", bytes_.numpy())


def test_bytes_can_be_exported_too(small: TrainedNet, images: Tensor) -> None:
    bytes_ = (images * 255).round().to(torch.uint8)
    program = torch.export.export(small, (bytes_[:2],), dynamic_shapes=({0: torch.export.Dim("batch")},))
    with torch.no_grad():
        torch.testing.assert_close(program.module()(bytes_), small(bytes_), rtol=1e-4, atol=1e-4)
