"""What may follow the beginning of a sentence, word by word.

It is told by the types: a branch must still get to the channels and the stride at which the first one ended,
and no number is offered that is above a limit by itself. So every sequence makes a sentence, but where words
that it needs to end are above the limits.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from nas_ray.errors import UsageError
from nas_ray.rows import shown
from nas_ray.spaces.base import END
from nas_ray.spaces.grammar.costs import Cost, cost_of_step
from nas_ray.spaces.grammar.shapes import IMAGE, MOST_BRANCHES, MOST_STRIDE, Shape, Step, after
from nas_ray.spaces.grammar.terms import FORMS, WIDTHS, Branch, Leaf
from nas_ray.spaces.grammar.words import CLOSE, LEAVES, NUMBERS, OPEN, OPEN_MAP, OPEN_TOKENS

if TYPE_CHECKING:
    from nas_ray.spaces.grammar.limits import Limits

KNOWN: Final = 20_000
"""Beginnings whose state is kept."""


@dataclass(frozen=True)
class _Bracket:
    """A bracket that is open, or the whole sentence.

    Attributes:
        opened: with what; nothing for the sentence.
        takes: what each of its branches is given.
        most_stride: where the present branch may go.
        rigid: whether it must keep its channels, since no layer gives so many.
        sign: between its branches, nothing in the first.
        goal: what the first branch gave.
        width: channels of the branches that have ended.
        branches: how many of them have.
        terms: layers and brackets of the present branch.
        idle: whether a branch that has ended does nothing.
    """

    opened: str
    takes: Shape
    most_stride: int
    rigid: bool
    sign: str = ""
    goal: Shape = IMAGE
    width: int = 0
    branches: int = 0
    terms: int = 0
    idle: bool = False

    def widths_to_end(self) -> list[int]:
        """Returns with how many channels the present branch may end; it is not the first."""
        if self.sign == "+":
            return [self.goal.width]
        return [width for width in WIDTHS if self.width + width in WIDTHS]


@dataclass(frozen=True)
class _State:
    """What is known behind some words.

    Attributes:
        brackets: that are open, the sentence first.
        at: what the next layer is given.
        pending: the layer whose number comes next.
        nodes: layers, branches and routings so far.
        cost: of these.
    """

    brackets: tuple[_Bracket, ...]
    at: Shape
    pending: Leaf | None = None
    nodes: int = 0
    cost: Cost = field(default_factory=Cost)


class Walk:
    """What may follow in sentences within limits.

    Args:
        limits: of these.
        pixels: of the images that limits are for.
    """

    def __init__(self, limits: Limits, pixels: int) -> None:
        self.limits = limits
        self.pixels = pixels
        self._states: dict[tuple[str, ...], _State] = {}

    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        """Returns what may follow words that were options, in a fixed order.

        Raises:
            UsageError: one of them was none.
        """
        state = self._state(prefix)
        if state.pending is not None:
            return self._numbers(state, state.pending)
        ends, bracket = tuple(self._ends(state)), state.brackets[-1]
        if state.nodes >= self.limits.nodes:
            stuck = not ends or (bracket.branches and CLOSE not in ends)
            return (*ends, self._next_to_end(state)) if stuck else ends
        leaves = [word for word, leaf in LEAVES.items() if _fits(leaf, state.at, bracket)]
        return (*ends, *leaves, *self._openings(state))

    def _openings(self, state: _State) -> list[str]:
        if len(state.brackets) > self.limits.depth:
            return []
        return [OPEN, OPEN_MAP if state.at.tokens else OPEN_TOKENS]

    def _ends(self, state: _State) -> Iterator[str]:
        """Yields what ends the sentence, a branch or a bracket here."""
        bracket, at = state.brackets[-1], state.at
        if not bracket.opened:
            yield from [END] if bracket.terms else []
        elif bracket.opened != OPEN:
            yield from [CLOSE] if bracket.terms else []
        elif not bracket.branches:
            yield "+"
            if not bracket.rigid and _can_follow(at.width):
                yield "&"
        elif at.stride == bracket.goal.stride:
            ends = bracket.sign == "+" and at == bracket.goal and bool(bracket.terms or not bracket.idle)
            if ends or (bracket.sign == "&" and bracket.width + at.width in WIDTHS):
                yield CLOSE
            if bracket.branches + 1 < MOST_BRANCHES and (
                ends or (bracket.sign == "&" and _can_follow(bracket.width + at.width))
            ):
                yield bracket.sign

    def _next_to_end(self, state: _State) -> str:
        """Returns a layer by which a branch gets nearer to where it must end."""
        bracket, at = state.brackets[-1], state.at
        if not bracket.branches:
            return "relu"  # in brackets that must not be empty
        if bracket.sign == "+" and at == bracket.goal:
            return "relu"  # in a second branch that would do nothing
        if at.stride < bracket.goal.stride:
            return "max3/2" if bracket.rigid else "conv1/2"
        return "lin" if at.tokens else "conv1"

    def _numbers(self, state: _State, leaf: Leaf) -> tuple[str, ...]:
        form, bracket = FORMS[leaf.word], state.brackets[-1]
        numbers = list(form.numbers)
        if leaf.word == "attn":
            numbers = [heads for heads in numbers if state.at.width % heads == 0]
        elif form.resizes and state.nodes >= self.limits.nodes and bracket.branches:
            numbers = bracket.widths_to_end()
        above = bisect_left(numbers, True, key=lambda number: self._is_above(state, leaf, number))
        return tuple(map(str, numbers[: max(1, above)]))

    def _is_above(self, state: _State, leaf: Leaf, number: int) -> bool:
        """Returns whether a layer of a number is above a limit; costs grow with it."""
        cost = _with_leaf(state, replace(leaf, number=number), self.pixels).cost
        return cost.params > self.limits.params or cost.values > self.limits.values

    def _state(self, prefix: tuple[str, ...]) -> _State:
        place = len(prefix)
        while place and prefix[:place] not in self._states:
            place -= 1
        whole = (_Bracket("", IMAGE, MOST_STRIDE, rigid=False),)
        state = self._states[prefix[:place]] if place else _State(whole, IMAGE)
        if len(self._states) > KNOWN:
            self._states.clear()
        for end in range(place + 1, len(prefix) + 1):
            state = self._states[prefix[:end]] = self._behind(state, prefix[end - 1])
        return state

    def _behind(self, state: _State, word: str) -> _State:
        """Returns what is known behind one word more."""
        if state.pending is not None and word in NUMBERS:
            return _with_leaf(state, replace(state.pending, number=int(word)), self.pixels)
        if state.pending is None and word in LEAVES:
            leaf = LEAVES[word]
            pending = bool(FORMS[leaf.word].numbers)
            return replace(state, pending=leaf) if pending else _with_leaf(state, leaf, self.pixels)
        if state.pending is None and word in (OPEN, OPEN_TOKENS, OPEN_MAP):
            return _opened(state, word)
        if state.pending is None and state.brackets[-1].opened and word in ("+", "&"):
            return _next_branch(state, word)
        if state.pending is None and state.brackets[-1].opened and word == CLOSE:
            return self._closed(state)
        raise UsageError(
            f"A word of a sentence of grammar must be an option where it stands, got {shown(word)}."
        )

    def _closed(self, state: _State) -> _State:
        *outer, bracket = state.brackets
        if bracket.opened != OPEN:
            return replace(state, brackets=tuple(outer), at=replace(state.at, tokens=not state.at.tokens))
        width = bracket.goal.width if bracket.sign == "+" else bracket.width + state.at.width
        at = replace(bracket.goal, width=width)
        cost = cost_of_step(Step(Branch(bracket.sign, ()), bracket.takes, at), self.pixels)
        return replace(state, brackets=tuple(outer), at=at, cost=state.cost + cost)


def _can_follow(width: int) -> bool:
    """Returns whether a branch may stand behind `width` channels in depth."""
    return any(width + other in WIDTHS for other in WIDTHS)


def _fits(leaf: Leaf, at: Shape, bracket: _Bracket) -> bool:
    form = FORMS[leaf.word]
    if not (form.on_tokens if at.tokens else form.on_maps) or (form.resizes and bracket.rigid):
        return False
    return at.stride * leaf.factor <= bracket.most_stride


def _with_leaf(state: _State, leaf: Leaf, pixels: int) -> _State:
    gives = after((leaf,), state.at)
    cost = state.cost + cost_of_step(Step(leaf, state.at, gives), pixels)
    return _State(_with_term(state), gives, None, state.nodes + 1, cost)


def _with_term(state: _State) -> tuple[_Bracket, ...]:
    *outer, bracket = state.brackets
    return (*outer, replace(bracket, terms=bracket.terms + 1))


def _opened(state: _State, word: str) -> _State:
    outer, at = state.brackets[-1], state.at
    most = outer.most_stride
    if word != OPEN:
        at, most = replace(at, tokens=word == OPEN_TOKENS), at.stride
    bracket = _Bracket(word, at, most, outer.rigid)
    return replace(state, brackets=(*_with_term(state), bracket), at=at, nodes=state.nodes + 1)


def _next_branch(state: _State, sign: str) -> _State:
    *outer, bracket = state.brackets
    goal = bracket.goal if bracket.branches else state.at
    begun = replace(
        bracket,
        most_stride=goal.stride,
        rigid=bracket.rigid or (sign == "+" and goal.width not in WIDTHS),
        sign=sign,
        goal=goal,
        width=bracket.width + state.at.width,
        branches=bracket.branches + 1,
        terms=0,
        idle=bracket.idle or not bracket.terms,
    )
    return replace(state, brackets=(*outer, begun), at=bracket.takes)
