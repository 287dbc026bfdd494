"""Mutations of a chain: one layer changed, added, removed or moved, or a part of the chain drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from nas_ray.spaces.graphs.graph import END, START
from nas_ray.spaces.macro.chain import Token
from nas_ray.spaces.macro.rules import SIZE, Rules
from nas_ray.spaces.macro.sampling import Parents, node_of

TRIES: Final = 200
"""Draws of a mutation that makes another net within the limits."""
LONGEST_PART: Final = 12
"""Layers of the part that is drawn anew, at most."""

Chain = list[Token]
Change = Callable[[Chain, Parents, np.random.Generator], Chain | None]


def mutated(
    tokens: Sequence[Token], parents: Parents, rules: Rules, rng: np.random.Generator, name: str | None = None
) -> tuple[Token, ...]:
    """Returns a chain that is one mutation away and within the limits; the same where none was found.

    A new layer is drawn to follow the one before it, from the graphs of parents, as chains are.

    Args:
        tokens: an arch.
        parents: where new layers come from.
        rules: of the space.
        rng: draws.
        name: one of `CHANGES`; None for one of them at random, each time that one is tried.
    """
    for _ in range(TRIES):
        change = CHANGES[name or list(CHANGES)[int(rng.integers(len(CHANGES)))]]
        body = change(list(tokens[:-1]), parents, rng)
        made = None if body is None else rules.settled(_told_apart(body, parents, rng))
        if made is not None and made != tuple(tokens):
            return made
    return tuple(tokens)


def _changed(body: Chain, parents: Parents, rng: np.random.Generator) -> Chain | None:
    """Draws a layer anew: its properties in half of all cases, another one in the others."""
    if not body:
        return None
    place = int(rng.integers(len(body)))
    if rng.random() < 0.5:
        token = parents.again(body[place], (SIZE, SIZE), rng)
    else:
        token = _new(body, place, parents, rng)
    return None if token is None else [*body[:place], token, *body[place + 1 :]]


def _inserted(body: Chain, parents: Parents, rng: np.random.Generator) -> Chain | None:
    place = int(rng.integers(len(body) + 1))
    token = _new(body, place, parents, rng)
    return None if token is None else [*body[:place], token, *body[place:]]


def _deleted(body: Chain, parents: Parents, rng: np.random.Generator) -> Chain | None:
    if not body:
        return None
    place = int(rng.integers(len(body)))
    return [*body[:place], *body[place + 1 :]]


def _moved(body: Chain, parents: Parents, rng: np.random.Generator) -> Chain | None:
    if len(body) < 2:
        return None
    token = body.pop(int(rng.integers(len(body))))
    place = int(rng.integers(len(body) + 1))
    return [*body[:place], token, *body[place:]]


def _part(body: Chain, parents: Parents, rng: np.random.Generator) -> Chain | None:
    """Draws a part anew, as a chain is drawn that begins behind the layer before it."""
    start = int(rng.integers(len(body) + 1))
    taken, wanted = (int(count) for count in rng.integers(1, LONGEST_PART + 1, size=2))
    made = body[:start]
    while len(made) < start + wanted:
        token = _new(made, len(made), parents, rng)
        if token is None:
            break
        made.append(token)
    return [*made, *body[start + taken :]] if len(made) > start else None


CHANGES: Final[dict[str, Change]] = {
    "change": _changed,
    "insert": _inserted,
    "delete": _deleted,
    "move": _moved,
    "part": _part,
}
"""By name, what can happen to a chain without its classifier."""


def _new(body: Chain, place: int, parents: Parents, rng: np.random.Generator) -> Token | None:
    """Returns a layer drawn to follow those before `place`; None where a chain would end there."""
    node = START if place == 0 else node_of(body[place - 1])
    token = parents.following(node, (SIZE, SIZE), rng)
    return None if token is None or token.word == END else token


def _told_apart(body: Chain, parents: Parents, rng: np.random.Generator) -> Chain:
    """Returns a chain with its classifier, whose linear layers make maps where maps are needed behind."""
    tokens = [*body, Token("head")]
    for place, token in enumerate(body):
        if token.word in ("square", "linear") and parents.is_square(tokens[place + 1 :]):
            tokens[place] = Token("square")
        elif token.word == "square":
            tokens[place] = parents.again(token, (SIZE, SIZE), rng) or token
    return tokens
