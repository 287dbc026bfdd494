"""Sentences of the space `grammar` as trees, their one form, and their texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

WIDTHS: Final = (
    *(8, 16, 24, 32, 48, 64, 96, 128, 160, 192, 256, 320, 384, 512, 640, 768, 1024, 1280, 1536, 2048),
    *(3072, 4096),
)
"""Channels that maps and tokens may have, and hidden units of token mixing."""
HEADS: Final = (1, 2, 3, 4, 6, 8, 12, 16)
"""Heads of attention."""
IDENTITY: Final = "id"
"""The text of a branch that does nothing."""
TOKENS: Final = "tokens"
"""The routing from a map to tokens, one for each of its places, and back again."""
MAP: Final = "map"
"""The routing from tokens to their map and back again."""


@dataclass(frozen=True)
class Form:
    """How a layer is written.

    Attributes:
        kernels: that may stand behind its word.
        numbers: that may stand behind a colon: channels, hidden units or heads.
        strided: whether `/2` may follow.
        on_maps: whether it works on maps.
        on_tokens: whether it works on tokens.
        resizes: whether what stands behind the colon are the channels that come out.
    """

    kernels: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()
    strided: bool = False
    on_maps: bool = True
    on_tokens: bool = False
    resizes: bool = False


FORMS: Final[dict[str, Form]] = {
    "conv": Form((1, 3, 5, 7), WIDTHS, strided=True, resizes=True),
    "dw": Form((3, 5, 7), strided=True),
    "max": Form((3,), strided=True),
    "avg": Form((3,), strided=True),
    "patch": Form((2, 4, 8, 16), WIDTHS, resizes=True),
    "bn": Form(),
    "lin": Form(numbers=WIDTHS, on_tokens=True, resizes=True),
    "ln": Form(on_tokens=True),
    "relu": Form(on_tokens=True),
    "gelu": Form(on_tokens=True),
    "pos": Form(on_maps=False, on_tokens=True),
    "attn": Form(numbers=HEADS, on_maps=False, on_tokens=True),
    "mix": Form(numbers=WIDTHS, on_maps=False, on_tokens=True),
}
"""The layers: convolution without bias, depthwise convolution, pooling, patches (a convolution with bias
whose stride is its kernel), batch normalisation, linear layer on channels, layer normalisation over channels,
activations, position embedding, self-attention, and two linear layers over tokens with GELU between them."""


@dataclass(frozen=True)
class Leaf:
    """A layer.

    Attributes:
        word: a key of `FORMS`.
        kernel: behind the word, 0 where there is none.
        number: behind the colon, 0 where there is none.
        stride: 1 or 2, as it is written.
    """

    word: str
    kernel: int = 0
    number: int = 0
    stride: int = 1

    @property
    def factor(self) -> int:
        """By how much the sides of a map shrink."""
        return self.kernel if self.word == "patch" else self.stride

    def __str__(self) -> str:
        number = f":{self.number}" if self.number else ""
        return f"{self.word}{self.kernel or ''}{number}{'/2' if self.stride == 2 else ''}"


@dataclass(frozen=True)
class Branch:
    """Several chains that read the same, added (`+`) or one behind the other in depth (`&`)."""

    sign: str
    parts: tuple[Chain, ...]

    def __str__(self) -> str:
        return f"({self.sign.join(map(written, self.parts))})"


@dataclass(frozen=True)
class Routed:
    """A chain that works on tokens in a chain of maps, or on a map in one of tokens; `kind` is which."""

    kind: str
    inner: Chain

    def __str__(self) -> str:
        return f"{self.kind}({written(self.inner)})"


Term: TypeAlias = Leaf | Branch | Routed
Chain: TypeAlias = tuple[Term, ...]


def inner_chains(term: Term) -> tuple[Chain, ...]:
    """Returns the chains in a term."""
    if isinstance(term, Branch):
        return term.parts
    return (term.inner,) if isinstance(term, Routed) else ()


def with_inner(term: Term, chains: Sequence[Chain]) -> Term:
    """Returns a term with other chains in it."""
    if isinstance(term, Branch):
        return Branch(term.sign, tuple(chains))
    return Routed(term.kind, chains[0]) if isinstance(term, Routed) else term


def size_of(chain: Chain) -> int:
    """Returns how many layers, branches and routings a chain has."""
    return sum(1 + sum(map(size_of, inner_chains(term))) for term in chain)


def depth_of(chain: Chain) -> int:
    """Returns how deep branches and routings lie in each other, 0 where there is none."""
    return max((1 + max(map(depth_of, inner)) for term in chain if (inner := inner_chains(term))), default=0)


def normal(chain: Iterable[Term]) -> Chain:
    """Returns the one form of a chain and of all those that are equal by simple algebra.

    Sums are not in sums and their parts are sorted; concatenations are not in concatenations; what is routed
    there and back again is not routed, and what is routed side by side is routed once; ReLU comes once.
    """
    flat: list[Term] = []
    for term in chain:
        if isinstance(term, Branch):
            flat.append(_normal_branch(term))
        elif isinstance(term, Routed):
            flat += _normal_routed(term)
        else:
            flat.append(term)
    return _joined(flat)


def _normal_branch(branch: Branch) -> Branch:
    parts: list[Chain] = []
    for part in map(normal, branch.parts):
        alone = part[0] if len(part) == 1 else None
        nested = isinstance(alone, Branch) and alone.sign == branch.sign
        parts += alone.parts if isinstance(alone, Branch) and nested else [part]
    return Branch(branch.sign, tuple(sorted(parts, key=_order) if branch.sign == "+" else parts))


def _order(part: Chain) -> tuple[int, str]:
    text = written(part)
    return (len(text) if part else 0), text


def _normal_routed(routed: Routed) -> list[Term]:
    """Returns a routing with what is routed back at its ends taken out."""
    inner = normal(routed.inner)
    first, last = (_routed_back(routed, inner[:1]), _routed_back(routed, inner[1:][-1:]))
    inner = inner[bool(first) : len(inner) - bool(last)]
    return [*first, *([Routed(routed.kind, inner)] if inner else []), *last]


def _routed_back(routed: Routed, end: Chain) -> Chain:
    """Returns what the term at an end of a routing does to what was routed; nothing if it does not."""
    back = next(iter(end), None)
    return back.inner if isinstance(back, Routed) and back.kind != routed.kind else ()


def _joined(terms: Iterable[Term]) -> Chain:
    made: list[Term] = []
    for term in terms:
        before = made[-1] if made else None
        if isinstance(term, Routed) and isinstance(before, Routed) and term.kind == before.kind:
            made[-1] = Routed(term.kind, _joined((*before.inner, *term.inner)))
        elif not (term == before == Leaf("relu")):
            made.append(term)
    return tuple(made)


@cache
def _term_text(term: Term) -> str:
    return str(term)


def written(chain: Chain) -> str:
    """Returns the text of a chain, in which `[...]*n` is what comes n times in a row."""
    parts = [
        f"[{written(part)}]*{times}" if times > 1 else _term_text(part[0]) for part, times in runs(chain)
    ]
    return "-".join(parts) or IDENTITY


def runs(chain: Chain) -> list[tuple[Chain, int]]:
    """Returns a chain as single terms, and parts with how often they come in a row.

    From the left it is what covers most, and of equals the shortest. Where a repetition could begin one later
    as well, it does: a block and its activation are repeated, and not an activation and the next block.
    """
    texts = tuple(map(_term_text, chain))
    found: list[tuple[Chain, int]] = []
    at = 0
    while at < len(texts):
        period, times = _longest_run(texts, at)
        if times > 1 and _times(texts, at + 1, period) == times:
            period, times = 1, 1
        found.append((chain[at : at + period], times))
        at += period * times
    return found


def _longest_run(texts: tuple[str, ...], at: int) -> tuple[int, int]:
    best = (1, 1)
    for period in range(1, (len(texts) - at) // 2 + 1):
        if texts[at + period] == texts[at]:
            times = _times(texts, at, period)
            if times > 1 and period * times > best[0] * best[1]:
                best = (period, times)
    return best


def _times(texts: tuple[str, ...], at: int, period: int) -> int:
    """Returns how often the `period` texts from `at` on come in a row."""
    unit, times = texts[at : at + period], 1
    while texts[at + times * period : at + (times + 1) * period] == unit:
        times += 1
    return times
