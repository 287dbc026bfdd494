"""Files, folders, pictures, arrays, tensors and lists of these give the same images, or one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from nas_ray.errors import UsageError
from nas_ray.images import offered
from nas_ray.images.decode import read_image
from nas_ray.images.offered import Offered
from nas_ray.images.splits import resize

SIZE = 8
FORMS = f"Images must be {offered.FORMS}, got "
ARRAY = "An array of images must hold uint8, or floats in 0..1, got "
PICTURE = "A picture must be readable, but this one is not: "
SECOND = "Number 1 of what is given: Pixels must lie in 0..1, or"


def named(given: Any, size: int = SIZE) -> list[tuple[str | int, torch.Tensor]]:
    return list(Offered(given, size))


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture
def file(pixels: np.ndarray, tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(pixels).save(folder / "b.png")
    return folder / "b.png"


def test_all_forms_of_a_picture_are_one(file: Path, pixels: np.ndarray) -> None:
    first = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    locked = pixels.copy()
    locked.flags.writeable = False
    for given in (
        *(
            str(file),
            file,
            str(file.parent),
            Image.open(file),
            Image.fromarray(pixels),
            pixels,
            first,
            locked,
        ),
        *(pixels.astype(">f4"), pixels.astype(np.int64), first / 255, pixels[::-1][::-1], locked),
        *(pixels.astype(np.float16), torch.from_numpy(pixels), torch.from_numpy(first)[None].float()),
        *([str(file)], (file,), np.array([str(file)]), pd.Series([file]), iter([pixels]), [first / 255]),
    ):
        ((_, found),) = named(given)
        torch.testing.assert_close(found, torch.from_numpy(first / np.float32(255)), rtol=0, atol=1e-6)


def test_names_are_files_and_numbers(file: Path, pixels: np.ndarray) -> None:
    first = file.parent / "a.jpg"
    Image.fromarray(pixels).save(first)
    (file.parent / "notes.txt").write_text("no image")
    (file.parent / ".hidden.png").write_text("no image")
    deep = file.parent / "deep" / "c.png"
    deep.parent.mkdir()
    Image.fromarray(pixels).save(deep)
    names = [name for name, _ in named([file.parent, np.stack([pixels] * 2), Image.fromarray(pixels), file])]
    assert names == [str(first), str(file), str(deep), 3, 4, 5, str(file)]


def test_a_picture_is_read_as_a_file_is(tmp_path: Path, pixels: np.ndarray) -> None:
    clear = Image.fromarray(np.dstack([pixels, pixels[..., :1]]), "RGBA")
    grey = Image.fromarray(pixels[..., 0])
    deep = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels[:4]).save(tmp_path / "turned.png", exif=exif)
    turned = Image.open(tmp_path / "turned.png")
    for name, picture in {"clear": clear, "grey": grey, "deep": deep, "palette": grey.convert("P")}.items():
        path = tmp_path / f"{name}.png"
        picture.save(path)
        assert torch.equal(named(picture)[0][1], resize(read_image(str(path)), SIZE))
    assert torch.equal(named(turned)[0][1], named(tmp_path / "turned.png")[0][1])
    assert named(Image.open(tmp_path / "grey.png"))[0][0] == str(tmp_path / "grey.png")


def test_another_size_is_resized(file: Path) -> None:
    assert torch.equal(named(file, 20)[0][1], resize(read_image(str(file)), 20))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, f"{FORMS}a NoneType."),
        (3, f"{FORMS}an int."),
        (b"bytes", f"{FORMS}a bytes."),
        ({"a.png": 1}, f"{FORMS}a dict."),
        ({"a.png"}, f"{FORMS}a set."),
        (pd.DataFrame({"image": ["a.png"]}), f"{FORMS}a DataFrame."),
        ([[0.5, 0.5]], f"Number 0 of what is given: {FORMS}a list."),
        ([None], f"Number 0 of what is given: {FORMS}a NoneType."),
        (np.array("a.png"), f"{ARRAY}<U5."),
        (np.array([[{}]]), f"{ARRAY}object."),
        (np.zeros((8, 8), np.complex64), f"{ARRAY}complex64."),
        (np.zeros((8, 8), "M8[s]"), f"{ARRAY}datetime64[s]."),
        (np.float32(0.5), f"{FORMS}a float32."),
        (np.zeros((8, 8), np.uint16), "Pixels must be uint8, or floats in 0..1, got uint16;"),
        (torch.zeros(3, 8, 8, device="meta"), "A tensor of images must hold its numbers one by one"),
        (torch.zeros(3, 8, 8).to_sparse(), "A tensor of images must hold its numbers one by one"),
        ("no/such.png", "An image must be a file or a folder of them, but there is none at 'no/such.png'."),
        ("", "An image must be a file or a folder of them, but there is none at ''."),
        (" ", "An image must be a file or a folder of them, but there is none at ' '."),
        ("a\0b", "An image must be a file or a folder of them, but there is none at 'a\\x00b'."),
        (Image.new("F", (8, 8)), f"{PICTURE}its pixels are 32-bit floats"),
        (Image.new("I", (8, 8)), f"{PICTURE}its pixels are 32-bit numbers"),
        (Image.new("RGB", (0, 8)), f"{PICTURE}it has no pixels."),
        ([np.zeros((8, 8, 3)), np.full((8, 8, 3), 7.5)], SECOND),
    ],
)  # fmt: skip
def test_what_is_no_image_is_refused(given: Any, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        named(given)
    assert str(caught.value).startswith(said)


def test_all_files_of_a_list_are_looked_for_before_the_first_is_read(file: Path) -> None:
    file.write_bytes(b"damaged")
    with pytest.raises(UsageError, match="there is none at 'no/such'"):
        named([file, "no/such"])


def test_damaged_files(file: Path, pixels: np.ndarray) -> None:
    good, cut, folder = file, file.parent / "a.png", file.parent
    cut.write_bytes(file.read_bytes()[:60])
    with pytest.raises(UsageError, match=rf"^Images must be readable, but {cut} is not \(.*\): "):
        named(folder)
    there = Offered(folder, SIZE, skip_unreadable=True)
    assert [name for name, _ in there] == [str(good)]
    assert [str(cut) in text for text in there.skipped] == [True]


def test_a_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UsageError) as caught:
        named(tmp_path)
    assert str(caught.value).endswith(f", .webp, but {tmp_path} holds none.")


def test_large_arrays_are_judged_as_a_whole() -> None:
    images = torch.zeros(130, 1, SIZE, SIZE)
    images[129] = 255.0
    found = named(images)
    assert len(found) == 130
    assert found[129][1].unique().tolist() == [1.0]
