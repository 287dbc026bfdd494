"""Plain values, arrays and tensors come back from a file as they were, and nothing runs."""

from __future__ import annotations

import math
import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.safe_files.plain_state import PLAN, packed, read_plain


def there_and_back(content: Any, folder: Path) -> Any:
    (folder / "state").write_bytes(packed(content))
    return read_plain(folder / "state")


def test_plain_values(tmp_path: Path) -> None:
    content = {
        "text": "ä\n",
        "none": None,
        "bools": (True, False),
        "large": 2**127 + 1,
        "nested": [1, [2.5, ("a",)], {}, []],
        3: {"dict": 1, "array": 2},
        "infinite": -math.inf,
    }
    assert there_and_back(content, tmp_path) == content
    back = there_and_back({"x": np.float64(0.1), "y": np.int64(3), "z": math.nan}, tmp_path)
    assert (back["x"], back["y"], type(back["y"])) == (0.1, 3, int)
    assert math.isnan(back["z"])


def test_the_random_states_of_numpy(tmp_path: Path) -> None:
    for kind in (np.random.PCG64, np.random.MT19937):
        generator = np.random.Generator(kind(3))
        state = there_and_back(generator.bit_generator.state, tmp_path)
        expected = generator.random(5)
        other = np.random.Generator(kind(0))
        other.bit_generator.state = state
        assert np.array_equal(other.random(5), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.bool_, np.complex128, "U3"])
def test_arrays(dtype: Any, tmp_path: Path) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    back = there_and_back([array, array[:0], array[0, 0:1].reshape(())], tmp_path)
    assert back[0].dtype == array.dtype
    assert np.array_equal(back[0], array)
    assert (back[1].shape, back[2].shape) == ((0, 3), ())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool, torch.complex64])
def test_tensors(dtype: torch.dtype, tmp_path: Path) -> None:
    tensor = torch.arange(6).reshape(2, 3).to(dtype)
    back = there_and_back([tensor, tensor.T, tensor[0, 1], tensor[:0]], tmp_path)
    for one, expected in zip(back, [tensor, tensor.T, tensor[0, 1], tensor[:0]], strict=True):
        assert one.dtype == expected.dtype
        assert torch.equal(one, expected)
    back[0][0] = 1  # it is its own


def test_nets_and_optimizers(tmp_path: Path) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    optimizer = torch.optim.AdamW(net.parameters(), amsgrad=True)
    net(torch.randn(4, 2)).sum().backward()
    optimizer.step()
    back = there_and_back({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path)
    assert list(back["net"]) == list(net.state_dict())
    other = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    other.load_state_dict(back["net"])
    again = torch.optim.AdamW(other.parameters())
    again.load_state_dict(back["optimizer"])
    assert again.state_dict()["param_groups"] == optimizer.state_dict()["param_groups"]
    assert torch.equal(other[0].weight, net[0].weight)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"a": [{1}]}, "it['a'][0] is a set"),
        (np.array([{}], dtype=object), "it is a ndarray"),
        (OrderedDict({(1, 2): 3}), "it is a OrderedDict"),
        (len, "it is a builtin_function_or_method"),
    ],
)
def test_what_is_not_plain_is_refused_with_its_place(content: Any, what: str) -> None:
    with pytest.raises(UsageError, match="A state must be made of texts") as caught:
        packed(content)
    assert what in str(caught.value)


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("exploded",)


def npz(path: Path, **arrays: Any) -> None:
    with path.open("wb") as file:
        np.savez(file, **arrays)


@pytest.mark.parametrize(
    "plan", ["{", "[" * 50_000, '{"array": 7}', '{"list": 3}', '{"other": 1}', '{"a": 1, "b": 2}', "{}"]
)
def test_a_plan_that_leads_nowhere_is_damage(plan: str, tmp_path: Path) -> None:
    npz(tmp_path / "state", **{PLAN: np.frombuffer(plan.encode(), dtype=np.uint8)})
    with pytest.raises(ValueError, match="."):
        read_plain(tmp_path / "state")


@pytest.mark.parametrize(
    "tensor", [[0, "float32", [5]], [0, "load", [4]], [0, "nothing", [4]], [0], [0, 1, 2]]
)
def test_a_tensor_that_is_none_is_damage(tensor: list[Any], tmp_path: Path) -> None:
    import json

    plan = json.dumps({"tensor": tensor}).encode()
    npz(tmp_path / "state", plan=np.frombuffer(plan, dtype=np.uint8), a0=np.zeros(4, dtype=np.uint8))
    with pytest.raises(ValueError, match="."):
        read_plain(tmp_path / "state")


def test_nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    npz(tmp_path / "state", plan=np.array([Bomb()], dtype=object))
    (tmp_path / "pickle").write_bytes(pickle.dumps(Bomb()))
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("state", "pickle", "array.npy", "folder", "pipe", "missing"):
        with pytest.raises(ValueError, match="."):
            read_plain(tmp_path / name)
    assert not (tmp_path / "exploded").exists()
