"""Pickles from outside: archives of NATS-Bench, batches of ImageNet16 and of CIFAR."""

from __future__ import annotations

import bz2
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np

from nas_ray.benchmarks.nats import FOLDER, NatsBenchmark
from nas_ray.images.datasets import get_dataset
from nas_ray.images.sources import open_images
from nas_ray.spaces import NatsTss
from tests.safe_files.cases import GARBAGE, Case, case, hostile_pickle

ARCHS = list(NatsTss())


def archive(folder: Path, content: bytes, *, meta: bytes | None = None) -> Case:
    """An official directory with one archive, which a look-up reads."""
    directory = folder / FOLDER
    directory.mkdir()
    good = pickle.dumps({"meta_archs": ARCHS, "total_archs": len(ARCHS)})
    (directory / "meta.pickle.pbz2").write_bytes(bz2.compress(good) if meta is None else meta)
    (directory / "000000.pickle.pbz2").write_bytes(content)

    def look_up() -> None:
        NatsBenchmark(directory, "cifar10", allow_missing=True).test_acc(ARCHS[0])

    return Case(look_up, str(directory if meta is not None else directory / "000000"))


def archived(title: str, content: bytes) -> None:
    case(f"NATS archive: {title}")(lambda folder: archive(folder, content))
    case(f"NATS meta file: {title}")(lambda folder: archive(folder, b"", meta=content))


def packed(content: Any) -> bytes:
    return bz2.compress(pickle.dumps(content))


archived("empty", b"")
archived("garbage", GARBAGE)
archived("not compressed", pickle.dumps({}))
archived("cut short", packed(OrderedDict({"12": 1, "200": 2}))[:-5])
archived("a list", packed([1, 2]))
archived("no results", packed({}))
archived("text where numbers are", packed({"12": "x", "200": "y", "meta_archs": "z"}))
archived("a function by name", bz2.compress(b"cposix\nsystem\n."))
archived("a bomb of zeros", bz2.compress(bytes(2**20)) * 300)  # streams one after another are one file
archived("a length beyond the end", bz2.compress(b"\x80\x04\x8e" + (2**62).to_bytes(8, "little") + b"x."))
archived("a huge memo", bz2.compress(b"\x80\x04Nr\xff\xff\xff\x7f."))
for protocol in (0, 2, 4, 5):
    case(f"NATS archive: code, protocol {protocol}")(
        lambda folder, protocol=protocol: archive(folder, bz2.compress(hostile_pickle(folder, protocol)))
    )
case("NATS meta file: code")(lambda folder: archive(folder, b"", meta=bz2.compress(hostile_pickle(folder))))


def batches(folder: Path, content: bytes) -> Case:
    """The files of ImageNet16, of which the second is hostile."""
    path = folder / "ImageNet16"
    path.mkdir()
    good = pickle.dumps({"data": np.zeros((2, 768), np.uint8), "labels": [1, 2]}, protocol=2)
    for name in (*(f"train_data_batch_{i}" for i in range(1, 11)), "val_data"):
        (path / name).write_bytes(content if name == "train_data_batch_2" else good)
    dataset = get_dataset("ImageNet16-120")
    return Case(lambda: open_images("ImageNet16-120", dataset, folder), str(path / "train_data_batch_2"))


def batch(title: str, content: bytes) -> None:
    case(f"ImageNet16 batch: {title}")(lambda folder: batches(folder, content))


batch("empty", b"")
batch("garbage", GARBAGE)
batch("no labels", pickle.dumps({"data": np.zeros((2, 768), np.uint8)}, protocol=2))
batch("other lengths", pickle.dumps({"data": np.zeros((2, 768), np.uint8), "labels": [1]}, protocol=2))
batch("another width", pickle.dumps({"data": np.zeros((2, 7), np.uint8), "labels": [1, 2]}, protocol=2))
batch("a label of no class", pickle.dumps({"data": np.zeros((2, 768), np.uint8), "labels": [1, -7]}, 2))
batch("objects", pickle.dumps({"data": np.array([{}, {}], object), "labels": [1, 2]}, protocol=2))
case("ImageNet16 batch: code")(lambda folder: batches(folder, hostile_pickle(folder)))


@case("CIFAR batches: code")
def _(folder: Path) -> Case:
    """torchvision would unpickle them; only files with the published checksums get there."""
    path = folder / "cifar-10-batches-py"
    path.mkdir()
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"):
        (path / name).write_bytes(hostile_pickle(folder))
    return Case(lambda: open_images("cifar10", get_dataset("cifar10"), folder), str(path))
