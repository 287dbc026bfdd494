"""Images as others hold them, made what a net sees: where that is certain, and refused where it is a guess.

What is certain: which number is white (`white_of`), which axis is which (`laid_out`), and what colours are
(`seen`). docs/trained_net.md has the table.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nas_ray.errors import UsageError
from nas_ray.images.splits import resize_all

CHANNELS = (1, 3, 4)
"""Grey, red green blue, and those with opacity."""
ROUNDING = 1e-3
"""How far resizing in floating point may leave 0..1."""
BRIGHT = 128
"""The largest of whole numbers in 0..255 is at least this, or they may be another scale, such as 0..16."""
REFUSED = (
    "Pixels must lie in 0..1, or be whole numbers that reach from 0 to 255; the net standardises them itself."
)
"""What an exported program says, which cannot say more."""
_exporting = getattr(torch.compiler, "is_exporting", lambda: False)  # of later versions of torch
_CERTAIN = {torch.uint8: 255.0, torch.bool: 1.0}
"""Types that say what is white."""


def white_of(images: Tensor) -> float:
    """Returns the number of `images` that is white, 1 or 255. It looks at all pixels, so a GPU is waited for.

    Args:
        images: at least one, of any layout.

    Raises:
        UsageError: it is not certain which number is white.
    """
    if images.dtype in _CERTAIN:
        return _CERTAIN[images.dtype]
    _check_type(images)
    found = images.detach()
    found = found if found.is_floating_point() else found.double()
    low, high = (float(value) for value in torch.aminmax(found))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UsageError("Pixels must be numbers, but some are NaN or infinite; repair these images.")
    if images.is_floating_point() and low >= -ROUNDING and high <= 1 + ROUNDING:
        return 1.0
    whole = bool((found == found.round()).all())
    if low == high == 0 or (low >= 0 and BRIGHT <= high <= 255 and whole):
        return 255.0
    raise UsageError(
        f"Pixels must lie in 0..1, or be whole numbers that reach from 0 to 255, but these {_name(images)} "
        f"numbers reach from {low:.4g} to {high:.4g}; {_advice(low, high, whole)}."
    )


def white_unseen(images: Tensor) -> float | Tensor:
    """Returns the number that is white, computed without looking at pixels: NaN where none is certain.

    So the logits are NaN, on a GPU that is not waited for and in exported programs.
    """
    if images.dtype in _CERTAIN:
        return _CERTAIN[images.dtype]
    _check_type(images)
    found = images.detach().float()
    low, high = found.min(), found.max()
    whole = (found - found.round()).abs().max() == 0
    unit = (low >= -ROUNDING) & (high <= 1 + ROUNDING) if images.is_floating_point() else high + low == 0
    eight_bits = (low >= 0) & (high >= BRIGHT) & (high <= 255) & whole
    if _exporting():
        torch._assert_async(unit | eight_bits, REFUSED)
    return torch.where(unit, 1.0, torch.where(eight_bits, 255.0, math.nan))


def laid_out(images: Tensor, size: int) -> Tensor:
    """Returns `images` as `[B, C, H, W]` with 1, 3 or 4 channels, a view.

    Args:
        images: one or more, channels first or last, grey ones with or without their axis.
        size: height and width in pixels that the net takes, which decides between first and last.

    Raises:
        UsageError: it is not certain which axis is which, or there are no pixels.
    """
    shape = tuple(images.shape)
    if 0 in shape:
        raise UsageError(f"Images must hold pixels, got the shape {_said(shape)}; leave empty ones out.")
    if len(shape) == 2:
        return images[None, None]
    if len(shape) not in (3, 4):
        raise UsageError(
            f"Images must have the shape [B, 3, {size}, {size}], got {_said(shape)}; give them in that one."
        )
    channels, height, width = shape[-3:]
    first, last = channels in CHANNELS, width in CHANNELS
    if first and last:
        first, last = (height, width) == (size, size), (channels, height) == (size, size)
    if first == last or (len(shape) == 3 and first and channels == 4):
        raise UsageError(
            f"Images must show which axis is which, as in [B, 3, {size}, {size}], got {_said(shape)}; "
            f"{_which_axis(shape)}."
        )
    images = images if len(shape) == 4 else images[None]
    return images if first else images.movedim(-1, 1)


def seen(images: Tensor, white: float | Tensor, size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Returns `images` as the net sees them before they are standardised.

    Grey is repeated, what is transparent becomes white, and another size is resized as in the training.

    Args:
        images: `[B, C, H, W]` with 1, 3 or 4 channels.
        white: the number of a white pixel.
        size: S in pixels.
        dtype: of the result.

    Returns:
        `[B, 3, S, S]` in 0..1.
    """
    pixels = images.to(torch.promote_types(dtype, torch.float32))  # halves are too coarse to resize with
    if not (isinstance(white, float) and white == 1):
        pixels = pixels / white
    if pixels.shape[1] == 4:
        opacity = pixels[:, 3:]
        pixels = pixels[:, :3] * opacity + (1 - opacity)
    return resize_all(pixels.expand(-1, 3, -1, -1), size).to(dtype)


def _check_type(images: Tensor) -> None:
    """Checks that numbers of this type can be pixels.

    Raises:
        UsageError: they cannot, or nobody knows which of them is white.
    """
    if images.is_complex() or images.dtype in (torch.uint16, torch.uint32, torch.uint64):
        raise UsageError(
            f"Pixels must be uint8, or floats in 0..1, got {_name(images)}; divide them by the number "
            "that is white."
        )


def _advice(low: float, high: float, whole: bool) -> str:
    if low < 0:
        return "give them as they are in the files, as the net standardises them itself"
    if whole and high < BRIGHT:
        return "give uint8 if 255 is white, or else divide them by the number that is"
    return "divide them by the number that is white"


def _which_axis(shape: tuple[int, ...]) -> str:
    if len(shape) == 3 and shape[0] == 4:
        return "add an axis: images[None] if it is a picture with opacity, images[:, None] if these are grey"
    if len(shape) == 3 and not {shape[0], shape[-1]} & set(CHANNELS):
        return "if these are grey images, give images[:, None]"
    if shape[-3] in CHANNELS:
        return "both the first and the last may be channels, so give another size or float in that shape"
    return "an image has 1, 3 or 4 channels, before height and width or behind them"


def _said(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _name(images: Tensor) -> str:
    return str(images.dtype).removeprefix("torch.")
