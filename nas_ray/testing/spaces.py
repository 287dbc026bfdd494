"""What every search space must do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nas_ray.errors.checks import having
from nas_ray.process.global_state import KeptState
from nas_ray.spaces.base import FiniteSpace, Neighborhood, SearchSpace
from nas_ray.spaces.needs import is_member
from nas_ray.testing.archs import far_archs, goes_one_way, neighbors_of, samples
from nas_ray.testing.given import contract_of, must, must_be, must_equal, must_leave
from nas_ray.testing.space_nets import IMAGES, Learned, NetsContract
from nas_ray.testing.space_questions import QuestionsContract


def space_contract(
    space: SearchSpace | Callable[[], SearchSpace], task: Learned | Callable[[], Learned] | None = None
) -> type[SpaceContract]:
    """Returns the tests of a space.

    Args:
        space: as such, or what makes it, such as its class.
        task: what its nets learn, or what makes it; None for images `[B, 3, 32, 32]` and their classes.
    """
    made = space() if isinstance(space, type) or not isinstance(space, SearchSpace) else space
    if task is None:
        return contract_of(SpaceContract, space=made)
    learned = task() if isinstance(task, type) or not hasattr(task, "minibatch") else task
    return contract_of(SpaceContract, space=made, task=learned)


class SpaceContract(NetsContract, QuestionsContract):
    """The tests of the fixture `space`, whose nets learn the fixture `task`."""

    @pytest.fixture
    def task(self) -> Learned:
        """Images, unless a subclass has a task of its own."""
        return IMAGES

    def test_it_is_a_space(self, space: SearchSpace) -> None:
        """It has the methods of one."""
        must_be(having(SearchSpace, "a space"), "What is tested", space)

    def test_equal_seeds_give_equal_samples(self, space: SearchSpace) -> None:
        """Nothing but the generator decides."""
        first, second = samples(space, 20), samples(space, 20)
        must_equal(second, first, "Generators of equal seeds must give equal samples: draw from rng alone")

    def test_archs_are_strings(self, space: SearchSpace) -> None:
        """An arch crosses processes and files; `samples` and `neighbors_of` look at each."""
        for arch in samples(space, 20):
            if isinstance(space, Neighborhood):
                neighbors_of(space, arch)

    def test_samples_are_members(self, space: SearchSpace) -> None:
        """Each arch is listed once."""
        outside = next((arch for arch in samples(space, 50) if not is_member(space, arch)), None)
        must(outside is None, "sample must return archs that are in the space", outside)
        if isinstance(space, FiniteSpace):
            listed = list(space)
            must(
                len(listed) == len(space), f"The space must list len(space) = {len(space)} archs", len(listed)
            )
            twice = len(listed) - len(set(listed))
            must(not twice, f"The space must list each arch once, got {twice} of {len(listed)} again")

    def test_neighbours_are_symmetric_and_exclude_self_and_duplicates(self, space: SearchSpace) -> None:
        """Who is a neighbour has one, but among sequences, where a way back may be longer."""
        if isinstance(space, Neighborhood):
            for arch in samples(space, 5):
                near = neighbors_of(space, arch)
                must(near, f"neighbors({arch!r}) must return at least one arch", near)
                must(arch not in near, f"neighbors({arch!r}) must not hold the arch itself", near)
                twice = next((one for one in near if near.count(one) > 1), None)
                must(twice is None, f"neighbors({arch!r}) must hold each arch once, and repeat none", twice)
                again = neighbors_of(space, arch)
                must_equal(again, near, f"neighbors({arch!r}) must return the same list in the same order")
                if goes_one_way(space):
                    continue
                lost = [one for one in near if arch not in neighbors_of(space, one)]
                must(
                    not lost,
                    f"{arch!r} must be among the neighbours of each of its neighbours",
                    f"{lost[0]} without it" if lost else None,
                )

    def test_neighbours_are_in_the_space(self, space: SearchSpace) -> None:
        """A search goes from neighbour to neighbour."""
        if isinstance(space, Neighborhood):
            for arch in (*samples(space, 20), *far_archs(space)):
                outside = next((one for one in neighbors_of(space, arch) if not is_member(space, one)), None)
                must(outside is None, f"neighbors({arch!r}) must return archs of the space", outside)

    def test_what_others_use_is_left_as_it_was(self, space: SearchSpace) -> None:
        """The global random states and settings are everyone's."""
        with KeptState() as kept:
            archs = samples(space, 5)
            if isinstance(space, Neighborhood):
                neighbors_of(space, archs[0])
        must_leave(kept, "sample and neighbors")
