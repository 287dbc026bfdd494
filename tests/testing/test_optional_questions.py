"""The contract of a space looks at each optional question that a space answers, and finds what is wrong."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.spaces import END, SearchSpace, sequence_neighbors
from nas_ray.spaces.filtered import FilteredSpace
from nas_ray.testing import space_contract
from tests.spaces.toy import Layers, Widths
from tests.testing.running import SENTENCE, run

TestWidths = space_contract(Widths)
TestLayers = space_contract(Layers)
TestFiltered = space_contract(FilteredSpace(Layers(), lambda arch: "wide" in arch))


class Near(Layers):
    neighbors = sequence_neighbors


TestNear = space_contract(Near)


class NeverEnds(Near):
    """Ends where it does not say so."""

    def sample(self, rng: np.random.Generator) -> str:
        return "wide"

    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        return ("wide", "narrow") if len(prefix) < self.most else (END,)

    def assemble(self, decisions: Sequence[str]) -> str:
        return "-".join(decisions)


class Ahead(Layers):
    """Has anchor points that nobody has been at."""

    def anchor(self, prefix: tuple[str, ...]) -> tuple[int, int] | None:
        return (len(prefix), len(prefix) + 1) if prefix else None


class ThreeWays(Near):
    """May read, may not, and may end."""

    def anchor(self, prefix: tuple[str, ...]) -> tuple[int, int] | None:
        return (0, 1) if prefix == ("wide",) else None


class Elsewhere(Layers):
    """Has other archs where the depth is given."""

    def of_depth(self, layers: int) -> SearchSpace:
        return Widths()


class Flat(Layers):
    """Has no depth at all."""

    def of_depth(self, layers: int) -> SearchSpace:
        raise UsageError("no arch has as many layers")


class Restless(Near):
    def neighbors(self, arch: str) -> list[str]:
        return [arch]


class Global(Widths):
    """Draws children from nobody knows where."""

    def sample_from(self, parents: Sequence[str], rng: np.random.Generator) -> str:
        return str(np.random.randint(10**9))  # noqa: NPY002


class Ranked(Widths):
    """Draws layers from nobody knows where."""

    def drawn_from(self, ranked: Sequence[str], rng: np.random.Generator, *, uniform: bool = False) -> str:
        return str(np.random.randint(10**9)) if uniform else ranked[0]  # noqa: NPY002


class Numbered(Widths):
    def index(self, arch: str) -> int:
        return -1


class Wordy(Widths):
    def label(self, arch: str) -> str:
        return f"a net\nof {arch} units"


class Cheap(Widths):
    def cost(self, arch: str, num_classes: int, image: tuple[int, int, int]) -> tuple[int, int]:
        return int(arch), int(arch)


class Alike(Widths):
    def cost_class(self, arch: str) -> Hashable:
        return 0


class Unknown(Widths):
    def for_image_size(self, image_size: int) -> SearchSpace:
        return Layers()


class Scheduled(Widths):
    schedules = ("200",)


@pytest.mark.parametrize(
    ("space", "test"),
    [
        (NeverEnds(), "test_sequences_make_the_arch_by_options_and_end"),
        (Ahead(), "test_anchor_points_lie_before_the_decisions_that_need_them"),
        (ThreeWays(), "test_anchor_points_lie_before_the_decisions_that_need_them"),
        (Elsewhere(), "test_archs_of_a_depth_are_archs"),
        (Flat(), "test_archs_of_a_depth_are_archs"),
        (Restless(), "test_neighbours_are_symmetric_and_exclude_self_and_duplicates"),
        (Global(), "test_children_of_parents_are_drawn_from_the_generator_alone"),
        (Ranked(), "test_children_of_parents_are_drawn_from_the_generator_alone"),
        (Numbered(), "test_published_numbers_grow_in_the_published_order"),
        (Wordy(), "test_labels_are_lines"),
        (Cheap(), "test_costs_are_those_of_the_net"),
        (Alike(), "test_costs_are_those_of_the_net"),
        (Unknown(), "test_nets_fit_images_of_other_sizes"),
        (Scheduled(), "test_facts_of_the_space_are_plain"),
    ],
    ids=lambda part: type(part).__name__ if not isinstance(part, str) else "",
)
def test_a_broken_answer_fails(space: SearchSpace, test: str) -> None:
    run(test, Widths())
    with pytest.raises(AssertionError, match=SENTENCE):
        run(test, space)


def test_the_sequences_of_the_document_keep_the_contract() -> None:
    page = (Path(__file__).parents[2] / "docs" / "spaces.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python[^\n]*\n(.*?)```", page, re.DOTALL)
    named: dict[str, Any] = {}
    exec(next(block for block in blocks if "class Layers" in block), named)
    for test in ("sequences_make_the_arch_by_options_and_end", "equal_seeds_give_equal_samples"):
        run(f"test_{test}", named["Layers"]())
    assert "wide-wide" in named["Layers"]().neighbors("wide-narrow")
