"""Image files as pixels: the formats that count, upright, in red, green and blue."""

from __future__ import annotations

import os
import struct

import numpy as np
import torch
from PIL import ExifTags, Image, ImageOps
from torch import Tensor

from nas_ray.errors import UsageError

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
"""What a file may hold, whatever its name says; Pillow itself would start Ghostscript for PostScript."""
ADVICE = ": repair or remove it."
"""How the sentence about a file that cannot be used ends."""
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)
"""What Pillow's decoders raise where a file is damaged."""
_WHITE_IS_ZERO = 0  # TIFF's photometric interpretation
_SIGNED = 2  # TIFF's sample format


def read_image(path: str) -> Tensor:
    """Returns the image of a file as `[3, H, W]` float32 in 0..1; grey is repeated.

    It is turned as the file's EXIF orientation says. What is transparent becomes white: the colours below it
    are often arbitrary. Of several images in a file the first counts.

    Raises:
        UsageError: the file cannot be decoded, or it is not known which number is white.
    """
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # to open a FIFO would block for ever
            raise ValueError("it is no regular file")
        with Image.open(path, formats=FORMATS) as image:
            return _decoded(image)
    except DAMAGE as error:
        why = str(error).replace(f" {path!r}", "")  # which the sentence names already
        raise UsageError(f"Images must be readable, but {path} is not ({why}){ADVICE}") from error


def picture_pixels(picture: Image.Image) -> Tensor:
    """Returns a picture of Pillow as `read_image` does that of a file.

    Raises:
        UsageError: it cannot be decoded, or it is not known which number is white.
    """
    try:
        if picture.mode == "I" and picture.format is None:
            raise ValueError("its pixels are 32-bit numbers without a known range")
        if 0 in picture.size:
            raise ValueError("it has no pixels")
        return _decoded(picture)
    except DAMAGE as error:
        raise UsageError(f"A picture must be readable, but this one is not: {error}.") from error


def _decoded(image: Image.Image) -> Tensor:
    bits = _grey_bits(image)
    inverted = bits and _tiff_tag(image, ExifTags.Base.PhotometricInterpretation) == [_WHITE_IS_ZERO]
    image.load()
    upright = _upright(image)
    if bits:  # which convert("RGB") would clip at 255
        grey = _opaque_grey(upright) / (2**bits - 1)
        grey = torch.from_numpy(1 - grey if inverted else grey).clamp(0, 1)
        return grey.expand(3, -1, -1).clone()
    pixels = np.array(_opaque(upright))
    return torch.from_numpy(pixels).permute(2, 0, 1).float() / 255


def _grey_bits(image: Image.Image) -> int:
    """Returns the bits of grey that has more than 8 of them, and 0 for all that Pillow scales itself.

    Raises:
        ValueError: numbers of which it is not known what is black and white.
    """
    if image.mode == "F":
        raise ValueError("its pixels are 32-bit floats without a known range")
    bits = max(_tiff_tag(image, ExifTags.Base.BitsPerSample), default=8)
    if _SIGNED in _tiff_tag(image, ExifTags.Base.SampleFormat):
        raise ValueError(f"its pixels are signed {bits}-bit numbers without a known range")
    if not image.mode.startswith("I"):
        return 0
    if image.format != "TIFF":
        return 16  # to which Pillow scales what a PGM says
    if bits > 16:
        raise ValueError(f"its pixels are {bits}-bit numbers without a known range")
    return bits


def _tiff_tag(image: Image.Image, tag: int) -> list[int]:
    """Returns the numbers of a tag, none where there is no such tag or no TIFF."""
    value = getattr(image, "tag_v2", {}).get(tag, ()) if image.format == "TIFF" else ()
    return [int(number) for number in (value if isinstance(value, tuple) else (value,))]


def _upright(image: Image.Image) -> Image.Image:
    """Returns the image as its EXIF orientation turns it; EXIF that is damaged says nothing."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # its parser raises whatever the bytes lead it to
        return image


def _opaque_grey(image: Image.Image) -> np.ndarray:
    """Returns `[H, W]` float32 in the numbers of the file, with white where a value is transparent."""
    values = np.asarray(image)
    grey = values.astype(np.float32)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey[values == transparent] = 65535
    return grey


def _opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layers = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers).convert("RGB")
