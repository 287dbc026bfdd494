"""The text of an arch and its layers."""

from __future__ import annotations

import re

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.spaces.layerwise.layers import Layer, loose_ends, read_layers, written
from nas_ray.spaces.layerwise.space import Layerwise, summary

ARCH = "3x3x36-5x1x48~0-max2~1+2-3x7x64/2-1x1x24/2x1~1+4-3x3x6*3~2+5"
LAYERS = (
    Layer((0,), 3, 3, 36),
    Layer((0,), 5, 1, 48),
    Layer((1, 2), pool="max2"),
    Layer((3,), 3, 7, 64, 2, 2),
    Layer((1, 4), 1, 1, 24, 2, 1),
    Layer((2, 5), 3, 3, 6, repeat=3),
)


def test_a_text_is_its_layers() -> None:
    assert read_layers(ARCH) == LAYERS
    assert written(LAYERS) == ARCH
    assert loose_ends(LAYERS) == (6,)
    assert loose_ends(read_layers("3x3x6-3x3x6~0-3x3x6~0-3x3x6~2")) == (1, 3, 4)
    assert summary(LAYERS) == "6 layers of 6-64 filters, 1 of them pooling, 3 skip connections"
    assert summary(read_layers("3x3x6")) == "1 layer of 6 filters"
    assert summary(read_layers("3x3x6-3x3x6-3x3x6~1+2")) == "3 layers of 6 filters, 1 skip connection"


@pytest.mark.parametrize("options", [{}, {"preset": "strides", "pools": "max2+avg3", "least": 1}])
def test_texts_of_drawn_archs_are_read_as_they_were_written(options: dict[str, object]) -> None:
    space, rng = Layerwise(**options), np.random.default_rng(0)  # type: ignore[arg-type]
    for _ in range(50):
        arch = space.sample(rng)
        assert written(read_layers(arch)) == arch
        assert re.fullmatch(r"[0-9a-z+*~/-]+", arch), "an arch needs no quoting in a shell"


@pytest.mark.parametrize(
    ("arch", "said"),
    [
        ("", "got '' as layer 1 of ''."),
        ("3x3", "A layer must read like 3x3x36, 3x7x48/2~1+3 or max2"),
        ("3x3x6-3x3x6~1", "must be written 3x3x6-3x3x6."),
        ("3x3x6~0", "must be written 3x3x6."),
        ("3x3x6/1", "must be written 3x3x6."),
        ("3x3x6/2x2", "must be written 3x3x6/2."),
        ("3x3x6*1", "must be written 3x3x6."),
        ("03x3x6", "must be written 3x3x6."),
        ("3x3x6-3x3x6~2", "got '3x3x6~2' as layer 2"),
        ("3x3x6-3x3x6-3x3x6~2+1", "got '3x3x6~2+1' as layer 3"),
        ("3x3x6-3x3x6-3x3x6~1+1", "got '3x3x6~1+1' as layer 3"),
        ("3x3x6-3x3x6~0+1", "got '3x3x6~0+1' as layer 2"),
        ("2x3x6", "A convolution must have filters of odd height and width"),
        ("3x3x0", "one filter or more"),
        ("3x3x6/0", "strides of 1 or more"),
        ("3x3x6/2*2", "which several in one layer have not; got '3x3x6/2*2' as layer 1."),
        ("max4", "got 'max4' as layer 1"),
        ("max2/2", "got 'max2/2' as layer 1"),
        ("3x3x6\n", "got '3x3x6\\n' as layer 1"),
        ("3x3x" + "9" * 5_000, "as layer 1 of"),
        ("3x3x٣", "got '3x3x٣' as layer 1"),
    ],
)
def test_what_is_no_arch_is_refused(arch: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        read_layers(arch)


def test_a_wrong_arch_is_told_in_part() -> None:
    with pytest.raises(UsageError, match="must be written 3x3x6-") as error:
        read_layers("-".join(["03x3x6"] * 3_000))
    assert len(str(error.value)) < 700
    with pytest.raises(UsageError, match="The head of a net must be the side of its grid"):
        Layerwise(head=f"7+{'9' * 5_000}")
