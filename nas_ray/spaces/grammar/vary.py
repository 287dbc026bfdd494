"""Changes sentences: another part of the same type, drawn anew or of another sentence, for one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from nas_ray.spaces.grammar.derivation import Derivation
from nas_ray.spaces.grammar.layers import HIDDEN, heads_for, weighted
from nas_ray.spaces.grammar.shapes import IMAGE, Shape, after, inside
from nas_ray.spaces.grammar.terms import (
    FORMS,
    WIDTHS,
    Branch,
    Chain,
    Leaf,
    Term,
    inner_chains,
    normal,
    with_inner,
)

MUTATIONS: Final = {"replace": 45, "insert": 20, "delete": 20, "layer": 15}
EVERYWHERE: Final = 0.3
"""How often a part is changed wherever it stands, as in all blocks of a stage, and not in one place."""
FUEL: Final = 12
"""Of the derivation of a part."""
LONGEST: Final = 6
"""Terms in a row that are one part, at most."""
MOST_FACTOR: Final = 16
"""By which a part that is replaced may shrink a map."""
GO_ON: Final = 0.5
"""How often a part has one term more."""


@dataclass(frozen=True)
class Part:
    """A part of a sentence: terms in a row in one of its chains.

    Attributes:
        terms: it, empty between two terms.
        takes: what it is given.
        gives: what it makes of that.
    """

    terms: Chain
    takes: Shape
    gives: Shape

    @property
    def type(self) -> tuple[bool, int, int, int]:
        """What a part must have in common with one in its place."""
        return self.takes.tokens, self.takes.width, self.gives.width, self.gives.stride // self.takes.stride


@dataclass(frozen=True)
class Place:
    """Where a part is: the terms to go into, each with which of its chains, and then from where to where."""

    path: tuple[tuple[int, int], ...]
    start: int
    stop: int


def chains_of(
    chain: Chain, takes: Shape = IMAGE, path: tuple[tuple[int, int], ...] = ()
) -> Iterator[tuple[tuple[tuple[int, int], ...], Chain, list[Shape]]]:
    """Yields every chain of a sentence with its path and the shapes before its terms and behind them."""
    shapes = [takes]
    for term in chain:
        shapes.append(after((term,), shapes[-1]))
    yield path, chain, shapes
    for place, term in enumerate(chain):
        for number, inner in enumerate(inner_chains(term)):
            yield from chains_of(inner, inside(term, shapes[place]), (*path, (place, number)))


def with_part(chain: Chain, place: Place, terms: Chain) -> Chain:
    """Returns a sentence with other terms at a place, not yet in its one form."""
    if not place.path:
        return (*chain[: place.start], *terms, *chain[place.stop :])
    (at, number), *rest = place.path
    inner = list(inner_chains(chain[at]))
    inner[number] = with_part(inner[number], replace(place, path=tuple(rest)), terms)
    return (*chain[:at], with_inner(chain[at], inner), *chain[at + 1 :])


def mutated(chain: Chain, rng: np.random.Generator) -> Chain | None:
    """Returns a sentence in which a part is another, in its one form; None if what was drawn cannot be."""
    kind = weighted(MUTATIONS, rng)
    place, part = _drawn_place(chain, rng, empty=kind == "insert", single=kind == "layer")
    terms = _other_terms(kind, part, rng)
    if terms is None:
        return None
    if kind != "insert" and rng.random() < EVERYWHERE:
        return normal(_everywhere(chain, IMAGE, part, terms))
    return normal(with_part(chain, place, terms))


def crossings(chain: Chain, other: Chain) -> list[tuple[Place, list[Chain]]]:
    """Returns the places of a sentence at which another one has parts of the same type, each with these."""
    there: dict[tuple[bool, int, int, int], dict[Chain, None]] = {}
    for _, part in parts_of(other):
        there.setdefault(part.type, {})[part.terms] = None
    found = (
        (place, [terms for terms in there.get(part.type, ()) if terms != part.terms])
        for place, part in parts_of(chain)
    )
    return [(place, parts) for place, parts in found if parts]


def crossed(chain: Chain, choices: list[tuple[Place, list[Chain]]], rng: np.random.Generator) -> Chain:
    """Returns a sentence with a part of another one in the place of one of its own, in its one form."""
    place, parts = choices[int(rng.integers(len(choices)))]
    return normal(with_part(chain, place, parts[int(rng.integers(len(parts)))]))


def neighbours(chain: Chain, most: int, rng: np.random.Generator) -> Iterator[Chain]:
    """Yields sentences in which one part is another that is near it, each in its one form.

    Of more than `most` it is so many, drawn from `rng`, in the order of the text.
    """
    edits = [
        (Place(path, at, at + 1), terms)
        for path, inner, shapes in chains_of(chain)
        for at, term in enumerate(inner)
        for terms in _near(Part((term,), shapes[at], shapes[at + 1]))
    ]
    if len(edits) > most:
        edits = [edits[place] for place in sorted(rng.choice(len(edits), size=most, replace=False))]
    for place, terms in edits:
        yield normal(with_part(chain, place, terms))


def _near(part: Part) -> Iterator[Chain]:
    """Yields what may stand in the place of a single term."""
    (term,) = part.terms
    yield from ((leaf,) for leaf in other_layers(part))
    if isinstance(term, Branch):
        yield from (one for one in term.parts if after(one, part.takes) == part.gives)
    if part.takes == part.gives:
        yield from ((), part.terms * 2, (Branch("+", ((), part.terms)),))


def parts_of(chain: Chain) -> Iterator[tuple[Place, Part]]:
    """Yields every part of up to `LONGEST` terms."""
    for path, inner, shapes in chains_of(chain):
        for start in range(len(inner)):
            for stop in range(start + 1, min(len(inner), start + LONGEST) + 1):
                yield Place(path, start, stop), Part(inner[start:stop], shapes[start], shapes[stop])


def _drawn_place(
    chain: Chain, rng: np.random.Generator, *, empty: bool = False, single: bool = False
) -> tuple[Place, Part]:
    """Returns a part: each term is as likely to be its first; or a place before or behind a term."""
    chains = list(chains_of(chain))
    ends = np.cumsum([len(inner) + empty for _, inner, _ in chains])
    drawn = int(rng.integers(ends[-1]))
    number = int(np.searchsorted(ends, drawn, side="right"))
    path, inner, shapes = chains[number]
    start = stop = drawn - int(ends[number - 1] if number else 0)
    if not empty:
        stop += 1
        while not single and stop < len(inner) and stop - start < LONGEST and rng.random() < GO_ON:
            stop += 1
    return Place(path, start, stop), Part(inner[start:stop], shapes[start], shapes[stop])


def _other_terms(kind: str, part: Part, rng: np.random.Generator) -> Chain | None:
    if kind == "delete":
        return () if part.takes == part.gives else None
    if kind == "layer":
        others = other_layers(part)
        return (others[int(rng.integers(len(others)))],) if others else None
    _, _, width, factor = part.type
    if factor > MOST_FACTOR or width not in WIDTHS:
        return None
    return Derivation(rng, FUEL).chain(part.takes, part.gives)


def other_layers(part: Part) -> list[Leaf]:
    """Returns the layers of the same type that may stand for a single one."""
    (term,) = part.terms
    if not isinstance(term, Leaf):
        return []
    tokens, _, width, factor = part.type
    made = []
    for word, form in FORMS.items():
        if not (form.on_tokens if tokens else form.on_maps) or (form.resizes and width not in WIDTHS):
            continue
        numbers: list[int] | tuple[int, ...] = form.numbers or (0,)
        if form.resizes:
            numbers = [width]
        elif word == "attn":
            numbers = heads_for(width)
        elif word == "mix":
            numbers = HIDDEN
        for kernel in form.kernels or (0,):
            for stride in (1, 2) if form.strided else (1,):
                made += [Leaf(word, kernel, number, stride) for number in numbers]
    keeps = part.takes.width == width
    return [
        leaf
        for leaf in made
        if leaf != term and leaf.factor == factor and (keeps or FORMS[leaf.word].resizes)
    ]


def _everywhere(chain: Chain, takes: Shape, part: Part, terms: Chain) -> Chain:
    """Returns a chain in which `terms` stand wherever the part does, from the left."""
    made: list[Term] = []
    at = 0
    while at < len(chain):
        found = Part(chain[at : at + len(part.terms)], takes, takes)
        if found.terms == part.terms:
            found = replace(found, gives=after(found.terms, takes))
        if found.terms == part.terms and found.type == part.type:
            made += terms
            takes, at = found.gives, at + len(part.terms)
            continue
        inner = [_everywhere(one, inside(chain[at], takes), part, terms) for one in inner_chains(chain[at])]
        made.append(with_inner(chain[at], inner))
        takes, at = after((chain[at],), takes), at + 1
    return tuple(made)
