"""What a search space must do where it answers more than it must: decisions, sequences, labels and so on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from nas_ray.errors import UsageError
from nas_ray.errors.checks import TEXT, whole
from nas_ray.spaces.base import (
    END,
    AnchoredSpace,
    BlockSpace,
    CellSpace,
    DecisionSpace,
    FiniteSpace,
    IndexedSpace,
    LabelledSpace,
    LayeredSpace,
    RankedSpace,
    RecombiningSpace,
    ScheduledSpace,
    SearchSpace,
    SequenceSpace,
    StemmedSpace,
)
from nas_ray.spaces.needs import is_member, sequence_space
from nas_ray.spaces.product import product_of
from nas_ray.spaces.sequences import sample_sequence
from nas_ray.testing.archs import samples
from nas_ray.testing.given import must, must_be, must_equal


class QuestionsContract:
    """The tests of the optional parts that the fixture `space` has."""

    def test_decisions_make_the_arch_and_are_options(self, space: SearchSpace) -> None:
        """One arch has one tuple of decisions."""
        if isinstance(space, DecisionSpace):
            choices = space.choices()
            for arch in samples(space, 50):
                decisions = space.decisions(arch)
                must_equal(space.assemble(decisions), arch, "assemble(decisions(arch)) must be arch")
                must_equal(len(decisions), len(choices), f"decisions({arch!r}) must be as many as choices()")
                for place, (taken, options) in enumerate(zip(decisions, choices, strict=True)):
                    must(taken in options, f"Decision {place} of {arch!r} must be one of {options}", taken)

    def test_groups_hold_every_decision_once(self, space: SearchSpace) -> None:
        """Each edge goes into one node."""
        if isinstance(space, CellSpace):
            places = sorted(place for group in space.groups() for place in group)
            must_equal(
                places, list(range(len(space.choices()))), "groups() must hold the place of each decision"
            )

    def test_sequences_make_the_arch_by_options_and_end(self, space: SearchSpace) -> None:
        """Each decision of an arch is an option there, and it may end where it ends."""
        if isinstance(space, SequenceSpace):
            rng = np.random.default_rng(0)
            for arch in (*samples(space, 25), *(sample_sequence(space, rng) for _ in range(25))):
                decisions = space.decisions(arch)
                must_equal(space.assemble(decisions), arch, "assemble(decisions(arch)) must be arch")
                for place, decision in enumerate((*decisions, END)):
                    before = tuple(decisions[:place])
                    options = space.options(before)
                    must(
                        decision in options,
                        f"options({before!r}) must hold {decision!r} of {arch!r}",
                        options,
                    )
                    must(len(options) == len(set(options)), f"options({before!r}) must repeat none", options)
                    again = space.options(before)
                    must_equal(again, options, f"options({before!r}) must be the same at every call")

    def test_anchor_points_lie_before_the_decisions_that_need_them(self, space: SearchSpace) -> None:
        """Such a decision has two options, and its points are places that were passed."""
        if isinstance(space, AnchoredSpace) and isinstance(space, SequenceSpace):
            for arch in samples(space, 10):
                decisions = tuple(space.decisions(arch))
                for place in range(len(decisions) + 1):
                    before = decisions[:place]
                    points = space.anchor(before)
                    if points is not None:
                        passed = len(points) == 2 and 0 <= points[0] < points[1] <= place
                        must(passed, f"anchor({before!r}) must be two places, the earlier first", points)
                        options = space.options(before)
                        must(
                            len(options) == 2,
                            f"options({before!r}) must be two, since it has anchors",
                            options,
                        )

    def test_archs_of_a_depth_are_archs(self, space: SearchSpace) -> None:
        """What has a number of layers is a part of the space, or nothing."""
        if not isinstance(space, LayeredSpace):
            return
        depths = 0
        for layers in range(1, 101):
            try:
                part = space.of_depth(layers)
            except UsageError:
                continue
            depths += 1
            outside = next((arch for arch in samples(part, 3) if not is_member(space, arch)), None)
            must(outside is None, f"of_depth({layers}) must have archs of the space alone", outside)
        must(depths, "of_depth(n) must have archs for an n of 1 to 100")

    def test_archs_grow_by_one_block(self, space: SearchSpace) -> None:
        """Each is an arch, with as many decisions for each of its blocks; a filter may leave none."""
        if isinstance(space, BlockSpace):
            grown, blocks = list(space.one_block()), 1
            sequence = sequence_space(space, "A space of blocks")
            while grown:
                must_equal(len(grown), len(set(grown)), "one_block() and grown(arch) must repeat none")
                arch = grown[len(grown) * 2 // 3]
                must(is_member(space, arch), "one_block() and grown(arch) must return archs", arch)
                must_equal(space.blocks(arch), blocks, f"blocks({arch!r}) must be as many as it has grown to")
                each, over = divmod(len(sequence.decisions(arch)), blocks)
                must(each and not over, f"decisions({arch!r}) must be as many for each block", each)
                grown, blocks = list(space.grown(arch)), blocks + 1
                must_equal(list(space.grown(arch)), grown, f"grown({arch!r}) must be the same at every call")

    def test_children_of_parents_are_drawn_from_the_generator_alone(self, space: SearchSpace) -> None:
        """One parent, equal ones and two make children of the space, equal ones from equal seeds."""
        if isinstance(space, RecombiningSpace):
            self._check_children(space, "sample_from", space.sample_from)
        if isinstance(space, RankedSpace):
            self._check_children(space, "drawn_from", space.drawn_from)
            self._check_children(space, "drawn_from", partial(space.drawn_from, uniform=True))

    def _check_children(self, space: SearchSpace, name: str, draw: Callable[..., object]) -> None:
        first, second = samples(space, 2)
        for parents in ([first], [first, first], [first, second]):
            drawn, again = ([draw(parents, np.random.default_rng(n)) for n in range(20)] for _ in range(2))
            must_equal(again, drawn, f"{name} must draw from rng alone")
            for child in drawn:
                must_be(TEXT, f"What {name}({parents}, rng) returns", child)
                must(is_member(space, str(child)), f"{name} must return archs of the space", child)

    def test_published_numbers_grow_in_the_published_order(self, space: SearchSpace) -> None:
        """Each arch has a number of its own."""
        if isinstance(space, IndexedSpace):
            for arch in samples(space, 50):
                must_be(whole(0), f"index({arch!r})", space.index(arch))
            if isinstance(space, FiniteSpace) and product_of(space) is None:
                numbers = [space.index(arch) for arch in space]
                ordered = numbers == sorted(set(numbers))
                must(ordered, "index must grow from each arch of the list to the next", numbers)

    def test_labels_are_lines(self, space: SearchSpace) -> None:
        """People read them."""
        if isinstance(space, LabelledSpace):
            for arch in samples(space, 20):
                label = space.label(arch)
                must_be(TEXT, f"label({arch!r})", label)
                must(
                    label.strip() and len(label.splitlines()) == 1, f"label({arch!r}) must be one line", label
                )

    def test_facts_of_the_space_are_plain(self, space: SearchSpace) -> None:
        """They are kept in files."""
        if isinstance(space, StemmedSpace):
            must_be(TEXT, "stem", space.stem)
        if isinstance(space, ScheduledSpace):
            must(space.schedules, "schedules must name at least one number of epochs", space.schedules)
            for epochs in space.schedules:
                must_be(whole(1), "A schedule", epochs)
