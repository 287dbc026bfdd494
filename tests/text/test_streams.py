"""Streams and the lengths of their pieces."""

from __future__ import annotations

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.text.streams import drawn_lengths, fixed_lengths, streams


def test_a_stream_goes_on_where_the_text_goes_on() -> None:
    side_by_side = streams(np.arange(11), 2)
    assert side_by_side.tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_a_text_shorter_than_a_batch_is_refused() -> None:
    with pytest.raises(UsageError) as raised:
        streams(np.arange(7), 4, "The training part of a text")
    assert str(raised.value) == (
        "The training part of a text must have at least 2 tokens for each of 4 streams, which a batch reads "
        "side by side, but it has 7 in all; give more text or a smaller batch_size."
    )


def test_lengths_sum_to_the_text() -> None:
    assert fixed_lengths(80, 35) == [35, 35, 10]
    for seed in range(20):
        assert sum(drawn_lengths(1_000, 35, np.random.default_rng(seed))) == 1_000


def test_lengths_are_drawn_as_published() -> None:
    """The mean is 0.95 * 35 + 0.05 * 17.5, less a half that rounding down takes."""
    lengths = np.array(drawn_lengths(2_000_000, 35, np.random.default_rng(0))[:-1])
    assert lengths.mean() == pytest.approx(0.95 * 35 + 0.05 * 17.5 - 0.5, abs=0.1)
    assert lengths.min() >= 5
    assert lengths.max() <= 55
    assert (lengths < 23).mean() == pytest.approx(0.05, abs=0.01)
