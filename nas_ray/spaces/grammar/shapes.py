"""The types of the grammar: what every part of a sentence takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from nas_ray.errors import UsageError
from nas_ray.spaces.grammar.terms import FORMS, IDENTITY, TOKENS, WIDTHS, Branch, Chain, Leaf, Routed, Term

MOST_STRIDE: Final = 64
"""How much smaller than the image a map may be."""

MOST_BRANCHES: Final = 8
"""Chains that read the same."""


@dataclass(frozen=True)
class Shape:
    """What stands between two layers; it fits images of every size, since no side gets below a pixel.

    Attributes:
        width: channels.
        stride: the image's side by the map's, rounded up.
        tokens: whether the places of the map are tokens `[B, H W, C]`, and not a map `[B, C, H, W]`.
    """

    width: int
    stride: int = 1
    tokens: bool = False

    def side(self, size: int) -> int:
        """Returns the side of the map for images of `size` pixels."""
        return -(-size // self.stride)

    def __str__(self) -> str:
        return f"{'tokens' if self.tokens else 'a map'} of {self.width} channels and stride {self.stride}"


IMAGE: Final = Shape(3)
"""What a sentence takes."""


@dataclass(frozen=True)
class Step:
    """A layer, or a branch behind its parts, with what it takes and gives."""

    term: Leaf | Branch
    takes: Shape
    gives: Shape


def steps_of(chain: Chain, takes: Shape = IMAGE) -> list[Step]:
    """Returns the layers of a chain in the order of its text, and each branch behind its parts.

    Raises:
        UsageError: something is given what it cannot take.
    """
    steps: list[Step] = []
    _walk(chain, takes, steps)
    return steps


def after(chain: Chain, takes: Shape = IMAGE) -> Shape:
    """Returns what a chain gives.

    Raises:
        UsageError: something is given what it cannot take.
    """
    return _walk(chain, takes, [])


def inside(term: Term, takes: Shape) -> Shape:
    """Returns what the chains in a term take."""
    return replace(takes, tokens=term.kind == TOKENS) if isinstance(term, Routed) else takes


def _walk(chain: Chain, takes: Shape, steps: list[Step]) -> Shape:
    for term in chain:
        if isinstance(term, Routed):
            takes = _through(term, takes, _walk(term.inner, inside(term, takes), steps))
            continue
        gives = (
            _after_leaf(term, takes)
            if isinstance(term, Leaf)
            else _after_branch(term, [_walk(part, takes, steps) for part in term.parts])
        )
        steps.append(Step(term, takes, gives))
        takes = gives
    return takes


def _after_leaf(leaf: Leaf, takes: Shape) -> Shape:
    form = FORMS[leaf.word]
    if not (form.on_tokens if takes.tokens else form.on_maps):
        raise _misfit(leaf, takes, f"works on {'maps' if takes.tokens else 'tokens'}")
    if leaf.word == "attn" and takes.width % leaf.number:
        raise _misfit(leaf, takes, "needs heads that share the channels")
    if takes.stride * leaf.factor > MOST_STRIDE:
        raise _misfit(leaf, takes, f"would give a stride above {MOST_STRIDE}")
    width = leaf.number if form.resizes else takes.width
    return Shape(width, takes.stride * leaf.factor, takes.tokens)


def _after_branch(branch: Branch, ends: list[Shape]) -> Shape:
    if len(ends) > MOST_BRANCHES:
        raise UsageError(f"Branches of grammar must be at most {MOST_BRANCHES}, got {len(ends)}.")
    if branch.sign == "+" and branch.parts.count(()) > 1:
        raise UsageError(f"A sum of grammar must have {IDENTITY} once, got {branch}.")
    first = ends[0]
    other = next((end for end in ends if end.stride != first.stride), None)
    if branch.sign == "+":
        other = next((end for end in ends if end != first), None)
    if other is not None:
        raise UsageError(
            f"Branches of grammar must end alike, but {branch} has one that gives {first} and one that gives "
            f"{other}."
        )
    width = first.width if branch.sign == "+" else sum(end.width for end in ends)
    if width not in (first.width, *WIDTHS):
        raise UsageError(
            f"Branches of grammar that stand one behind the other must have {', '.join(map(str, WIDTHS))} "
            f"channels together, but {branch} has {width}."
        )
    return replace(first, width=width)


def _through(routed: Routed, takes: Shape, end: Shape) -> Shape:
    if takes.tokens == (routed.kind == TOKENS):
        raise _misfit(routed, takes, "would be routed to what it is")
    if end.stride != takes.stride:
        raise _misfit(routed, takes, "must keep the number of tokens")
    return replace(end, tokens=takes.tokens)


def _misfit(term: Term, takes: Shape, why: str) -> UsageError:
    return UsageError(f"The parts of an arch of grammar must fit, but {term} takes {takes} and {why}.")
