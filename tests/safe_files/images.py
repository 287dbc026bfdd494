"""Images: NumPy archives and folders."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from nas_ray.images.datasets import get_dataset
from nas_ray.images.image_data import ImageDataModule
from nas_ray.images.sources import open_images
from tests.safe_files.cases import CANARY, GARBAGE, Case, case, hostile_pickle

ARRAYS = {
    "x_train": np.zeros((20, 8, 8, 3), np.uint8),
    "y_train": np.arange(20) % 10,
    "x_test": np.zeros((10, 8, 8, 3), np.uint8),
    "y_test": np.arange(10),
}


def archive(path: Path) -> Case:
    return Case(lambda: open_images(f"npz:{path}", get_dataset("cifar10")), str(path))


def raw(title: str, content: bytes) -> None:
    @case(f"npz: {title}")
    def make(folder: Path) -> Case:
        (folder / "images.npz").write_bytes(content)
        return archive(folder / "images.npz")


def arrays(title: str, **changes: object) -> None:
    @case(f"npz: {title}")
    def make(folder: Path) -> Case:
        given = {name: value for name, value in {**ARRAYS, **changes}.items() if value is not None}
        np.savez(folder / "images.npz", **given)  # type: ignore[arg-type]  # whatever a file may hold
        return archive(folder / "images.npz")


def header(shape: str, data: bytes = b"") -> bytes:
    """Returns the bytes of an array whose header declares `shape`, whatever follows."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


def zipped(member: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for name in ARRAYS:
            made.writestr(f"{name}.npy", member)
    return packed.getvalue()


raw("empty", b"")
raw("garbage", GARBAGE)
raw("a declared size beyond memory", zipped(header("(10000000000000, 8, 8, 3)")))
raw("a declared size below zero", zipped(header("(-1, 8, 8, 3)")))
raw("a header that is code", zipped(header("__import__('os').system('true')")))
raw("members that are no arrays", zipped(b"text"))
arrays("objects", x_train=np.array([{}] * 20, object))
arrays("a missing array", y_test=None)
arrays("other lengths", y_train=np.arange(7))
arrays("no images", x_train=ARRAYS["x_train"][:0], y_train=ARRAYS["y_train"][:0])
arrays("a label of no class", y_train=np.full(20, 10))
arrays("labels with fractions", y_train=np.full(20, 0.5))
arrays("images and labels swapped", x_train=ARRAYS["y_train"], y_train=ARRAYS["x_train"])
arrays("NaN", x_train=np.full((20, 8, 8, 3), np.nan))
arrays("numbers beyond 1", x_train=np.full((20, 8, 8, 3), 255.0))


@case("npz: code in a bare pickle")
def _(folder: Path) -> Case:
    (folder / "images.npz").write_bytes(hostile_pickle(folder))
    return archive(folder / "images.npz")


@case("npz: cut short")
def _(folder: Path) -> Case:
    np.savez(folder / "images.npz", **ARRAYS)
    content = (folder / "images.npz").read_bytes()
    (folder / "images.npz").write_bytes(content[: len(content) // 2])
    return archive(folder / "images.npz")


@case("npz: a bomb of zeros")
def _(folder: Path) -> Case:
    """A thousand members say that each unpacks to 4 GiB, as those of a bomb of a few megabytes would."""
    np.savez_compressed(folder / "images.npz", **ARRAYS, **{f"more_{i}": np.zeros(1) for i in range(1000)})
    content = bytearray((folder / "images.npz").read_bytes())
    place = content.find(b"PK\x01\x02")
    while place >= 0:
        content[place + 24 : place + 28] = struct.pack("<I", 2**32 - 2)
        place = content.find(b"PK\x01\x02", place + 4)
    (folder / "images.npz").write_bytes(content)
    return archive(folder / "images.npz")


def classes(folder: Path, bad: Callable[[Path], None]) -> Case:
    """A folder of two classes with good images and a bad one."""
    root = folder / "photos"
    for name in ("cats", "dogs"):
        (root / name).mkdir(parents=True)
        for number in range(6):
            Image.new("RGB", (8, 8), (number, 0, 0)).save(root / name / f"{number}.png")
    bad(root / "cats" / "bad.png")
    return Case(lambda: ImageDataModule(f"folder:{root}", dataset="own"), "bad.png")


def image(title: str, content: bytes) -> None:
    case(f"image: {title}")(lambda folder: classes(folder, lambda path: _write(path, content)))


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def png(width: int, height: int) -> bytes:
    """Returns a PNG that declares a size and holds nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


image("empty", b"")
image("garbage", GARBAGE)
image("a page of HTML", b"<html><script>alert(1)</script></html>")
image("a declared size of 10^10 pixels", png(100_000, 100_000))
image("a declared size without pixels", png(0, 0))
image("no pixels for its size", png(64, 64))
case("image: a link to itself")(lambda folder: classes(folder, lambda path: path.symlink_to(path)))
case("image: a link to a device")(lambda folder: classes(folder, lambda path: path.symlink_to("/dev/zero")))


@case("image: PostScript, which Pillow has Ghostscript run")
def _(folder: Path) -> Case:
    """A program of that name before all others on the path is the canary."""
    tools = folder.parent / "tools"
    tools.mkdir()
    (tools / "gs").write_text(f"#!/bin/sh\ntouch {folder.parent / CANARY}\nexit 1\n")
    (tools / "gs").chmod(0o755)
    os.environ["PATH"] = f"{tools}:{os.environ['PATH']}"
    page = io.BytesIO()
    Image.new("RGB", (8, 8)).save(page, "EPS")
    return classes(folder, lambda path: _write(path, page.getvalue()))


@case("images: a folder without classes")
def _(folder: Path) -> Case:
    return Case(lambda: open_images(f"folder:{folder}", get_dataset("cifar10")), str(folder))


@case("images: a path of null bytes")
def _(folder: Path) -> Case:
    return Case(lambda: open_images("npz:a\0b", get_dataset("cifar10")), "a\0b")


@case("images: a folder that leads back to itself")
def _(folder: Path) -> Case:
    made = classes(folder, lambda path: (path.parent / "bad.png").symlink_to(".."))
    return Case(made.read, "bad.png")
