"""Files become the pixels that a viewer shows, or are refused with the reason."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from nas_ray.errors import UsageError
from nas_ray.images.folder_images import read_image

UNTURNED = np.zeros((16, 24, 3), np.uint8)
UNTURNED[:8, :8] = (250, 0, 0)  # a red corner, in blocks that JPEG keeps


def seen(path: Path) -> np.ndarray:
    return (read_image(str(path)).permute(1, 2, 0).numpy() * 255).round().astype(int)


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_image(str(path))
    said = str(caught.value)
    assert str(path) in said
    return said


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tiff"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_as_their_file_says(tmp_path: Path, ending: str, orientation: int) -> None:
    path = tmp_path / f"0.{ending}"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exact = {"webp": {"lossless": True}, "jpg": {"quality": 100, "subsampling": 0}}
    Image.fromarray(UNTURNED).save(path, exif=exif, **exact.get(ending, {}))
    upright = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a),
    }[orientation](UNTURNED)
    assert np.abs(seen(path) - upright).max() < 16


def test_both_images_of_a_phone_are_one_turned_image(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    first = Image.fromarray(UNTURNED)
    first.save(tmp_path / "0.jpg", "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))], exif=exif)
    assert seen(tmp_path / "0.jpg").shape == (24, 16, 3)


def test_a_damaged_orientation_is_none(tmp_path: Path) -> None:
    path = tmp_path / "0.jpg"
    Image.fromarray(UNTURNED).save(path, exif=b"Exif\0\0II*\0\xff\xff\xff\xff damaged")
    assert seen(path).shape == UNTURNED.shape


def tiff(path: Path, values: np.ndarray, *, bits: int, photometric: int = 1, sample: int = 1) -> Path:
    """Writes `values` `[1, N]` as an uncompressed TIFF in the byte order of their dtype."""
    big = values.dtype.byteorder == ">"
    data = values.tobytes()
    shorts = {256: values.shape[1], 257: 1, 258: bits, 259: 1, 262: photometric, 277: 1, 278: 1, 339: sample}
    width = values.shape[1] if bits != 12 else len(data) * 8 // 12
    entries = {**shorts, 256: width, 273: 8, 279: len(data)}
    order = ">" if big else "<"
    start = 8 + len(data)
    content = (b"MM\0*" if big else b"II*\0") + struct.pack(f"{order}I", start) + data
    content += struct.pack(f"{order}H", len(entries))
    for tag, value in sorted(entries.items()):
        content += struct.pack(f"{order}HHI", tag, 4, 1) + struct.pack(f"{order}I", value)
    path.write_bytes(content + struct.pack(f"{order}I", 0))
    return path


@pytest.mark.parametrize(("order", "photometric"), [("<", 0), ("<", 1), (">", 1)])  # Pillow knows no other
def test_16_bit_grey_is_scaled_and_inverted_as_its_file_says(
    tmp_path: Path, order: str, photometric: int
) -> None:
    values = np.array([[0, 257, 25700, 65535]], dtype=f"{order}u2")
    grey = seen(tiff(tmp_path / "0.tif", values, bits=16, photometric=photometric))[0, :, 0]
    expected = np.array([0, 1, 100, 255])
    assert grey.tolist() == (expected if photometric else 255 - expected).tolist()


def test_12_bit_grey_keeps_its_range(tmp_path: Path) -> None:
    packed = np.array([[0x00, 0x0F, 0xFF]], dtype=np.uint8)  # 0 and 4095
    path = tiff(tmp_path / "0.tif", packed, bits=12)
    assert seen(path)[0, :, 0].tolist() == [0, 255]


@pytest.mark.parametrize("photometric", [0, 1])
def test_8_bit_grey_is_inverted_as_its_file_says(tmp_path: Path, photometric: int) -> None:
    values = np.array([[0, 100, 255]], dtype=np.uint8)
    grey = seen(tiff(tmp_path / "0.tif", values, bits=8, photometric=photometric))[0, :, 0]
    assert grey.tolist() == ([0, 100, 255] if photometric else [255, 155, 0])


@pytest.mark.parametrize("photometric", [0, 1])
def test_one_bit_is_inverted_as_its_file_says(tmp_path: Path, photometric: int) -> None:
    values = np.array([[0b10000000]], dtype=np.uint8)
    path = tiff(tmp_path / "0.tif", values, bits=1, photometric=photometric)
    assert seen(path)[0, 0].tolist() == [255 if photometric else 0] * 3


@pytest.mark.parametrize(
    ("dtype", "sample", "kind"),
    [
        ("<i2", 2, "signed 16-bit numbers"),
        (">i2", 2, "signed 16-bit numbers"),
        ("i1", 2, "signed 8-bit numbers"),
        ("<i4", 2, "signed 32-bit numbers"),
        ("<u4", 1, "32-bit numbers"),
        ("<f4", 3, "32-bit floats"),
    ],
)
def test_numbers_without_a_known_white_are_refused(
    tmp_path: Path, dtype: str, sample: int, kind: str
) -> None:
    values = np.array([[0, 1, 100]], dtype=dtype)
    said = refusal(tiff(tmp_path / "0.tif", values, bits=8 * values.itemsize, sample=sample))
    assert f"its pixels are {kind} without a known range" in said


@pytest.mark.parametrize("ending", ["png", "pgm", "tif"])
def test_16_bit_grey_of_every_format(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"0.{ending}"
    Image.fromarray(np.array([[0, 25700, 65535]], dtype=np.uint16)).save(path)
    assert seen(path)[0, :, 0].tolist() == [0, 100, 255]


def test_a_pgm_is_scaled_by_its_own_maximum(tmp_path: Path) -> None:
    (tmp_path / "0.pgm").write_bytes(b"P5 2 1 1000\n" + np.array([500, 1000], ">u2").tobytes())
    assert seen(tmp_path / "0.pgm")[0, :, 0].tolist() == [128, 255]


def test_transparent_16_bit_grey_is_white(tmp_path: Path) -> None:
    path = tmp_path / "0.png"
    Image.fromarray(np.array([[0, 25700]], dtype=np.uint16)).save(path, transparency=0)
    assert seen(path)[0, :, 0].tolist() == [255, 100]


def test_other_modes(tmp_path: Path) -> None:
    palette = Image.new("P", (2, 1), 1)
    palette.putpalette([0, 0, 0, 10, 200, 30])
    palette.putpixel((0, 0), 0)
    palette.save(tmp_path / "p.png", transparency=0)
    assert seen(tmp_path / "p.png")[0].tolist() == [[255, 255, 255], [10, 200, 30]]
    for mode, ending, colour, expected in (
        ("CMYK", "tif", (0, 255, 255, 0), [255, 0, 0]),
        ("YCbCr", "jpg", (128, 128, 128), [128, 128, 128]),
        ("1", "png", 1, [255, 255, 255]),
        ("LA", "png", (100, 0), [255, 255, 255]),
    ):
        Image.new(mode, (8, 8), colour).save(tmp_path / f"{mode}.{ending}")
        assert seen(tmp_path / f"{mode}.{ending}")[4, 4].tolist() == expected, mode
