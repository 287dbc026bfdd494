"""The spaces of recurrent cells: strings, sizes, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.evaluation.limits import limited
from nas_ray.spaces import SPACES, DartsRnn, Product, RnnNets, RnnTree
from nas_ray.spaces.base import fitted_space
from nas_ray.spaces.named import open_space
from nas_ray.spaces.options import READ_TEXTS
from nas_ray.spaces.rnn.steps import ACTIVATIONS, METHODS

V2 = "|sigmoid~0|relu~1|relu~1|identity~1|tanh~2|sigmoid~5|tanh~3|relu~5|"


def test_the_space_of_darts_has_the_published_size() -> None:
    """8! times 4^8; a node moves to 3 other activations, or to as many nodes as it does not read."""
    space = DartsRnn()
    assert np.prod([float(len(options)) for options in space.choices()]) == 40_320 * 4**8
    assert len(space.neighbors(V2)) == 8 * 3 + sum(range(8))
    assert space.label(V2) == "2 tanh 3 relu 2 sigmoid 1 identity, depth 4"


def test_an_edge_graph_is_the_released_one() -> None:
    (graph,) = DartsRnn().graphs()
    assert graph.shape == (36, 5)
    assert graph.ops == ("none", "tanh", "relu", "sigmoid", "identity")
    assert graph.edges[:4] == ((0, 1), (0, 2), (1, 2), (0, 3))
    space = DartsRnn()
    assert space.from_edges(space.to_edges(V2)) == V2
    with pytest.raises(UsageError, match="one edge for each of 8 nodes, got edges to 1, 2"):
        space.from_edges([{0: "tanh", 1: "relu"}])


def test_the_space_of_trees_has_the_published_size() -> None:
    """About 6e16 with a base of 8, as the paper says."""
    space = RnnTree()
    size = float(np.prod([float(len(options)) for options in space.choices()]))
    assert size == 8.0**16 * 15**2
    assert round(size / 1e16) == 6
    assert len(METHODS) * len(ACTIVATIONS) == 8


@pytest.mark.parametrize(
    "arch",
    [
        *("", "|", "||", "tanh~0", V2[:-1], V2[1:], f"{V2}tanh~0|", f"{V2}\n", V2.replace("~5", "~05")),
        *(V2.replace("sigmoid~0", "sigmoid~1"), V2.replace("relu", "elu"), V2.replace("relu~5", "none~5")),
    ],
)
def test_what_is_no_cell_is_refused(arch: str) -> None:
    assert arch not in DartsRnn()
    with pytest.raises(UsageError, match="darts-rnn"):
        DartsRnn().build(arch, 5)


@pytest.mark.parametrize(
    "arch",
    [
        *("", "|add_tanh|+|add_relu~0|+|cell~1|", "|a|b|c|+|add_relu~0|+|cell~1|"),
        "|add_tanh|mult_relu|mult_sigmoid|+|add_relu~3|+|cell~1|",
        "|add_tanh|mult_relu|mult_swish|+|add_relu~0|+|cell~1|",
    ],
)
def test_what_is_no_tree_is_refused(arch: str) -> None:
    space = RnnTree(base=2)
    assert arch not in space
    with pytest.raises(UsageError, match="rnn-tree with 2 leaves is 3 steps"):
        space.build(arch, 5)


@pytest.mark.parametrize(
    ("space", "arch"),
    [
        (DartsRnn(), V2.replace("~5", "~" + "9" * 5_000)),
        (DartsRnn(), V2.replace("tanh~2", "tanh~\u0662")),
        (RnnTree(base=2), f"|add_tanh|mult_relu|mult_tanh|+|add_relu~{'9' * 5_000}|+|cell~1|"),
        (RnnTree(base=2), f"|add_tanh|mult_relu|mult_tanh|+|add_relu~0|+|cell~{'9' * 5_000}|"),
        (RnnTree(base=2), "|add_tanh" * 3_000),
    ],
)
def test_what_is_long_is_refused_and_told_in_part(space: Any, arch: str) -> None:
    assert arch not in space
    with pytest.raises(UsageError, match=f"An arch of {space.name}") as error:
        space.build(arch, 5)
    assert len(str(error.value)) < 700


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: DartsRnn(0), "The width of darts-rnn must be a whole number of at least 1, got 0."),
        (lambda: RnnNets(4, 0), "The embedding of rnn-nets must be"),
        (lambda: DartsRnn(10**6), "The width of darts-rnn must be at most 16,384, got 1000000."),
        (lambda: RnnTree(base=3), "The base of rnn-tree must be a power of two up to 64, got 3."),
        (lambda: RnnNets().build("lstn", 5), "lstm"),
    ],
)
def test_bad_sizes_and_names_are_refused(make: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        make()


def test_sizes_are_options_of_a_name() -> None:
    space: Any = open_space("rnn-tree:width=8,embedding=4,base=4")
    assert (space.width, space.embedding, space.base) == (8, 4, 4)


def test_the_spaces_that_read_texts_are_known_by_their_names() -> None:
    assert {name for name, make in SPACES.items() if hasattr(make, "reads")} == set(READ_TEXTS)


def test_images_are_refused_in_a_sentence() -> None:
    """Every command asks a space for nets of the images that it has."""
    for space in (DartsRnn(), Product(RnnNets(), "lr=0.1/0.2")):
        with pytest.raises(UsageError, match="read the words of a text, not images"):
            fitted_space(space, 32)  # type: ignore[arg-type]  # a product answers what its space does


@pytest.mark.parametrize("name", ["darts-rnn:width=8", "rnn-tree:width=8,base=4"])
def test_a_limit_that_no_cell_keeps_is_told_at_once(name: str) -> None:
    space, words = open_space(name), torch.zeros(1, 4, dtype=torch.long)
    with pytest.raises(UsageError, match="No arch of the space passes max_params=10"):
        limited(space, max_params=10, num_classes=20, image=words).sample(np.random.default_rng(0))
