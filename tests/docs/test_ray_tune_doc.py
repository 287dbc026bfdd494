"""docs/ray_tune.md, beside that it runs."""

from __future__ import annotations

from tests.docs.blocks import blocks


def test_the_example_of_a_new_score_is_short() -> None:
    (block,) = [block for block in blocks("docs/ray_tune.md") if "Spread" in block.text]
    assert len([line for line in block.text.splitlines() if line.strip()]) < 26
