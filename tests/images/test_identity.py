"""What was used is told apart by its content, wherever it lies and whatever it is called."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from nas_ray.benchmarks.table import TableBenchmark
from nas_ray.errors import UsageError
from nas_ray.evaluation.short_training import ShortTraining
from nas_ray.images import identity
from nas_ray.images.identity import (
    BENCHMARK,
    IMAGES,
    benchmark_sha256,
    check_unchanged,
    files_sha256,
    images_sha256,
)
from nas_ray.images.image_data import ImageDataModule
from nas_ray.spaces import NatsTss
from nas_ray.training.recipes import parse_recipe


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (30, 8, 8, 3), dtype=np.uint8)
    return {"x_train": x[:20], "y_train": np.arange(20) % 2, "x_test": x[20:], "y_test": np.arange(10) % 2}


def archive(path: Path, held: dict[str, np.ndarray], dataset: str = "own") -> ImageDataModule:
    np.savez(path, **held)  # type: ignore[arg-type]
    return ImageDataModule(f"npz:{path}", dataset=dataset, batch_size=2)


def photos(root: Path) -> Path:
    for seed, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (10, 8, 8, 3), dtype=np.uint8)
        for number, image in enumerate(pixels):
            Image.fromarray(image).save(root / name / f"{number}.bmp")
    return root


def of_folder(root: Path) -> ImageDataModule:
    return ImageDataModule(f"folder:{root}", dataset="own", batch_size=2)


@pytest.mark.parametrize("name", ["x_train", "y_train", "x_test", "y_test"])
@pytest.mark.parametrize("place", [0, -1])
def test_any_pixel_and_any_label_counts(tmp_path: Path, name: str, place: int) -> None:
    held = arrays()
    before = archive(tmp_path / "own.npz", held).sha256
    assert archive(tmp_path / "copy.npz", held).sha256 == before
    held[name].reshape(-1)[place] ^= 1
    assert archive(tmp_path / "own.npz", held).sha256 != before


def test_order_counts(tmp_path: Path) -> None:
    held = arrays()
    before = archive(tmp_path / "own.npz", held).sha256
    held["x_train"][[0, 2]] = held["x_train"][[2, 0]]  # of one class
    assert archive(tmp_path / "own.npz", held).sha256 != before


def test_a_folder_is_told_by_its_files_and_classes_wherever_it_lies(tmp_path: Path) -> None:
    root = photos(tmp_path / "a")
    before = of_folder(root).sha256
    shutil.copytree(root, tmp_path / "b" / "pets")
    assert of_folder(tmp_path / "b").sha256 == of_folder(tmp_path / "b" / "pets").sha256 == before
    (root / "dog").rename(root / "eel")
    assert of_folder(root).sha256 != before
    (root / "eel").rename(root / "dog")
    for file in (root / "cat" / "3.bmp", root / "dog" / "9.bmp"):
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        assert of_folder(root).sha256 != before
        file.write_bytes(content)
    assert of_folder(root).sha256 == before


def test_of_many_bytes_names_sizes_and_a_sample_are_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "LARGEST_MB", 1)
    monkeypatch.setattr(identity, "_BLOCK", 2**10)
    paths = [tmp_path / f"{number}.bin" for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(np.random.default_rng(number).bytes(2**20))
    before = files_sha256(paths, named=False)
    assert files_sha256(paths, named=False) == before
    for place in (0, -1):
        content = bytearray(paths[1].read_bytes())
        content[place] ^= 1
        paths[1].write_bytes(content)
        assert files_sha256(paths, named=False) != before
        content[place] ^= 1
        paths[1].write_bytes(content)
    paths[2].write_bytes(np.random.default_rng(9).bytes(2**20))
    assert files_sha256(paths, named=False) != before
    paths[2].write_bytes(np.random.default_rng(2).bytes(2**20))
    assert files_sha256(paths, named=False) == before
    paths[2].rename(tmp_path / "3.bin")
    assert files_sha256([*paths[:2], tmp_path / "3.bin"], named=False) != before


def test_files_that_are_gone_or_pipes_do_not_stop_it(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
    assert files_sha256([tmp_path / "pipe", tmp_path / "gone"]) != files_sha256([tmp_path / "gone"])


def test_images_of_another_kind_are_decoded() -> None:
    class Made:
        def __init__(self, seed: int) -> None:
            self._seed = seed

        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int, /) -> torch.Tensor:
            return torch.full((3, 4, 4), float(self._seed + index))

    labels = np.arange(3)
    assert images_sha256(Made(0), labels) == images_sha256(Made(0), labels) != images_sha256(Made(1), labels)


def training(images: ImageDataModule, **options: Any) -> ShortTraining:
    return ShortTraining(
        NatsTss(channels=2, cells=1), 2, images.train_images, parse_recipe("fast"), **options
    )


def test_a_short_training_is_told_by_all_its_images(tmp_path: Path) -> None:
    held = arrays()
    first = training(archive(tmp_path / "own.npz", held))
    for place in range(20):
        changed = {**held, "x_train": held["x_train"].copy()}
        changed["x_train"][place, 3, 3, 0] ^= 1
        other = training(archive(tmp_path / "own.npz", changed))
        assert other.fingerprint != first.fingerprint
    again = training(archive(tmp_path / "again.npz", held))
    assert (again.fingerprint, again.earlier_fingerprint) == (first.fingerprint, first.earlier_fingerprint)


def test_an_unfinished_training_of_an_earlier_version_goes_on(tmp_path: Path) -> None:
    from nas_ray.evaluation.training_checkpoints import TrainingCheckpoints

    TrainingCheckpoints(tmp_path, "old").save("arch", {"row": {}})
    assert TrainingCheckpoints(tmp_path, "new", "old").load("arch") is not None
    assert TrainingCheckpoints(tmp_path, "new", "other").load("arch") is None
    assert TrainingCheckpoints(tmp_path, "new").load("arch") is None


def test_a_benchmark_is_told_by_its_numbers(tmp_path: Path) -> None:
    lines = ["arch,cifar10_test_acc_200", *(f"{arch},90.0" for arch in NatsTss())]
    path = tmp_path / "table.csv"

    def of_table() -> str:
        path.write_text("\n".join(lines))
        return benchmark_sha256([TableBenchmark(path, "cifar10")])

    before = of_table()
    assert of_table() == before
    lines[9] = lines[9].replace("90.0", "91.0")
    assert of_table() != before


def test_what_has_changed_is_said_and_what_was_not_noted_is_not_compared() -> None:
    check_unchanged({}, {IMAGES: "a", BENCHMARK: "b"}, "The run r")
    check_unchanged({IMAGES: "a"}, {IMAGES: "a"}, "The run r")
    with pytest.raises(UsageError) as caught:
        check_unchanged({IMAGES: "a"}, {IMAGES: "c"}, "The run r")
    assert str(caught.value) == (
        "The run r must go on with the images that it began with, but their pixels, labels or classes have "
        "changed; bring the same back, or start a new run."
    )
    with pytest.raises(UsageError) as caught:
        check_unchanged({BENCHMARK: "a"}, {BENCHMARK: "c"}, "The folder f", "choose another --out")
    assert str(caught.value) == (
        "The folder f must go on with the benchmark that it began with, but what it holds has changed; bring "
        "the same back, or choose another --out."
    )
