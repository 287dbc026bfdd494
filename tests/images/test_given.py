"""Images of any type, range, layout, size and number of channels are what they are, or are refused."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from nas_ray.errors import UsageError
from nas_ray.images.given import laid_out, seen, white_of, white_unseen
from nas_ray.images.splits import resize

SIZE = 12
LARGE = 30


def pictures(count: int, size: int, channels: int = 3) -> Tensor:
    """Returns images in 0..1 whose pixels are multiples of 1/255, from black to white."""
    generator = torch.Generator().manual_seed(count + size)
    pixels = torch.randint(0, 256, (count, channels, size, size), generator=generator)
    pixels[:, :, 0, 0], pixels[:, :, 0, 1] = 0, 255
    return pixels / 255


def as_net_sees(images: Tensor) -> Tensor:
    return seen(laid_out(images, SIZE), white_of(images), SIZE)


TYPES = {
    "uint8": lambda images: (images * 255).round().to(torch.uint8),
    "whole float32": lambda images: (images * 255).round(),
    "whole float16": lambda images: (images * 255).round().half(),
    "int64": lambda images: (images * 255).round().long(),
    "int32": lambda images: (images * 255).round().int(),
    "int16": lambda images: (images * 255).round().short(),
    "float32": lambda images: images,
    "float64": lambda images: images.double(),
    "float16": lambda images: images.half(),
    "bfloat16": lambda images: images.bfloat16(),
}
LAYOUTS = {
    "first": lambda images: images,
    "last": lambda images: images.permute(0, 2, 3, 1),
    "last, in memory": lambda images: images.permute(0, 2, 3, 1).contiguous(),
    "one": lambda images: images[0],
    "one, last": lambda images: images[0].permute(1, 2, 0),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", TYPES)
def test_every_type_in_every_layout_size_and_kind_of_colour_is_one_picture(kind: str, layout: str) -> None:
    for size, channels in itertools.product((SIZE, LARGE, 8), (1, 3, 4)):
        if layout == "one" and channels == 4:
            continue  # which may be four grey ones
        plain = pictures(2, size, channels)
        given = LAYOUTS[layout](TYPES[kind](plain))
        expected = seen(plain if "one" not in layout else plain[:1], 1.0, SIZE)
        assert expected.shape[1:] == (3, SIZE, SIZE)
        coarse = {"float16": 1e-3, "bfloat16": 1e-2}.get(kind, 1e-6)
        torch.testing.assert_close(as_net_sees(given), expected, rtol=0, atol=coarse)


def test_what_fits_is_not_touched() -> None:
    plain = pictures(2, SIZE)
    assert as_net_sees(plain).data_ptr() == plain.data_ptr()


def test_another_size_is_resized_as_in_the_training() -> None:
    plain = pictures(3, LARGE)[:, :, :, :20]
    found = as_net_sees(plain)
    for image, one in zip(found, plain, strict=True):
        assert torch.equal(image, resize(one, SIZE))


def test_grey_is_repeated_with_or_without_its_axis() -> None:
    grey = pictures(1, SIZE, 1)
    for given in (grey, grey[0], grey[0, 0], grey[0, 0, :, :, None]):
        assert torch.equal(as_net_sees(given), grey.expand(1, 3, SIZE, SIZE))


def test_what_is_transparent_is_white() -> None:
    given = torch.zeros(1, 4, SIZE, SIZE)
    given[:, 0] = 0.5
    given[:, 3, 0], given[:, 3, 1] = 1.0, 0.5
    found = as_net_sees(given)[0]
    assert found[:, 0, 0].tolist() == [0.5, 0, 0]
    assert found[:, 1, 0].tolist() == [0.75, 0.5, 0.5]
    assert found[:, 2, 0].tolist() == [1, 1, 1]


def test_bits_are_black_and_white() -> None:
    assert as_net_sees(torch.eye(SIZE) > 0)[0, 0].tolist() == torch.eye(SIZE).tolist()


@pytest.mark.parametrize("kind", ["uint8", "float32", "int64", "whole float32"])
def test_a_black_picture_is_black(kind: str) -> None:
    assert (as_net_sees(TYPES[kind](torch.zeros(1, 3, SIZE, SIZE))) == 0).all()


def test_a_rounding_error_is_none() -> None:
    assert white_of(torch.tensor([-1e-6, 1 + 1e-6])) == 1.0


RANGES = {
    "from -2.1 to 2.6; give them as they are in the files, as the net standardises them itself.": [-2.1, 2.6],
    "from -1 to 1; give them as they are in the files, as the net standardises them itself.": [-1.0, 0.5, 1],
    "from -0.01 to 1; give them as they are in the files, as the net standardises them itself.": [-0.01, 1.0],
    "from -3 to 255; give them as they are in the files, as the net standardises them itself.": [-3.0, 255.0],
    "from 0 to 1.5; divide them by the number that is white.": [0, 1.5],
    "from 0 to 254.5; divide them by the number that is white.": [0, 254.5],
    "from 0 to 6.554e+04; divide them by the number that is white.": [0, 65535.0],
    "from 0 to 256; divide them by the number that is white.": [0, 256.0],
    "from 0 to 16; give uint8 if 255 is white, or else divide them by the number that is.": [0, 16.0],
    "from 0 to 127; give uint8 if 255 is white, or else divide them by the number that is.": [0, 127.0],
    "Pixels must be numbers, but some are NaN or infinite; repair these images.": [0.5, math.nan],
    "NaN or infinite; repair these images.": [0.5, math.inf],
    "NaN or infinite; repair  these images.": [-math.inf, 255.0],
}


@pytest.mark.parametrize(("said", "values"), RANGES.items())
def test_a_range_that_may_mean_anything_is_refused(said: str, values: list[float]) -> None:
    images = torch.zeros(2, 3, SIZE, SIZE)
    images[1, 2, 0, : len(values)] = torch.tensor(values)
    with pytest.raises(UsageError) as caught:
        white_of(images)
    assert str(caught.value).endswith(said.replace("  ", " "))
    assert math.isnan(white_unseen(images))


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (torch.tensor([0, 1]), "these int64 numbers reach from 0 to 1; give uint8 if 255 is white"),
        (torch.tensor([0, 100], dtype=torch.int8), "these int8 numbers reach from 0 to 100; give uint8"),
        (torch.tensor([-128, 100], dtype=torch.int8), "reach from -128 to 100; give them as they are"),
        (torch.tensor([0, 200]).to(torch.uint16), "Pixels must be uint8, or floats in 0..1, got uint16;"),
        (torch.zeros(2, dtype=torch.complex64), "Pixels must be uint8, or floats in 0..1, got complex64;"),
    ],
)
def test_types_that_do_not_say_what_is_white(images: Tensor, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        white_of(images)
    assert said in str(caught.value)


@pytest.mark.parametrize("kind", TYPES)
def test_it_is_the_same_without_looking(kind: str) -> None:
    for plain in (pictures(2, SIZE), torch.zeros(1, 3, SIZE, SIZE)):
        images = TYPES[kind](plain)
        white = white_unseen(images)
        assert white == white_of(images) or not images.any()
        assert math.isfinite(white)
    assert math.isnan(white_unseen(torch.tensor([0, 1]))), "of whole numbers they may be anything"


BOTH = "both the first and the last may be channels, so give another size or float in that shape."
SHAPES = {
    (5,): "got [5]; give them in that one.",
    (): "got []; give them in that one.",
    (1, 2, 3, SIZE, SIZE): "got [1, 2, 3, 12, 12]; give them in that one.",
    (0, 3, SIZE, SIZE): "Images must hold pixels, got the shape [0, 3, 12, 12]; leave empty ones out.",
    (3, SIZE, 0): "Images must hold pixels, got the shape [3, 12, 0]; leave empty ones out.",
    (5, SIZE, SIZE): "got [5, 12, 12]; if these are grey images, give images[:, None].",
    (4, SIZE, SIZE): (
        "got [4, 12, 12]; add an axis: images[None] if it is a picture with opacity, images[:, None] if "
        "these are grey."
    ),
    (2, 2, SIZE, SIZE): "an image has 1, 3 or 4 channels, before height and width or behind them.",
    (2, SIZE, SIZE, 5): "an image has 1, 3 or 4 channels, before height and width or behind them.",
    (2, 3, 40, 4): BOTH,
    (3, 40, 3): BOTH,
    (1, 1, 1, 1): BOTH,
}


@pytest.mark.parametrize(("shape", "said"), SHAPES.items())
def test_a_shape_that_may_mean_anything_is_refused(shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        laid_out(torch.zeros(shape), SIZE)
    assert str(caught.value).endswith(said)


def test_the_size_of_the_net_decides_where_both_may_be_channels() -> None:
    images = torch.rand(2, 3, 4, 4)
    assert laid_out(images, 4) is images
    assert torch.equal(laid_out(images.permute(0, 2, 3, 1), 4), images)
