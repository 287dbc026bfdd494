"""From the text of a sentence to its tree."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from nas_ray.errors import UsageError, printable
from nas_ray.errors.checks import TEXT
from nas_ray.spaces.grammar.terms import (
    FORMS,
    IDENTITY,
    MAP,
    TOKENS,
    Branch,
    Chain,
    Leaf,
    Routed,
    Term,
    normal,
    size_of,
    written,
)

MOST_TEXT, MOST_NODES, MOST_DEPTH = 20_000, 500, 16
"""Characters of a text that is read, its layers, branches and routings, and how deep these lie."""
EXAMPLE: Final = "conv3:16-bn-relu-[(id+conv3:16-bn-relu-conv3:16-bn)-relu]*3"

_LEAF: Final = re.compile(r"([a-z]+)([1-9]\d?)?(?::([1-9]\d{0,3}))?(/2)?")
_TIMES: Final = re.compile(r"\]\*([1-9]\d{0,2})")
_OPENED: Final = ("(", f"{TOKENS}(", f"{MAP}(", "[")


def chain_in(text: str) -> Chain:
    """Returns the chain of any text of the grammar, in its one form.

    Raises:
        UsageError: it is none.
    """
    TEXT.check("An arch", text)
    if len(text) > MOST_TEXT:
        raise UsageError(f"An arch of grammar has at most {MOST_TEXT:,} characters, got {len(text):,}.")
    reader = _Reader(text)
    chain = reader.chain(0)
    if reader.at < len(text) or not chain:
        reader.fail("a layer, or - and a layer")
    return normal(chain)


def read(arch: str) -> Chain:
    """Returns the chain of an arch.

    Raises:
        UsageError: it is none, or not written in the one form.
    """
    return in_one_form(chain_in(arch), arch)


def in_one_form(chain: Chain, arch: str) -> Chain:
    """Returns the chain of an arch, known to be written in the one form.

    Raises:
        UsageError: it is not; who checks a chain does so before, as the form that is named must be an arch.
    """
    if (right := written(chain)) != arch:
        raise UsageError(f"An arch of grammar is written in one form, {right}, got {printable([arch])[0]!r}.")
    return chain


class _Reader:
    """Reads a text from left to right.

    Attributes:
        at: the next character.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self._nodes = 0

    def fail(self, wanted: str) -> NoReturn:
        """Raises what is said of the present place."""
        shown = printable([self.text[self.at : self.at + 20]])[0]
        found = f"{shown!r}" if shown else "the end"
        raise UsageError(
            f"An arch of grammar reads as {EXAMPLE} does, and must have {wanted} at character "
            f"{self.at + 1}, got {found}."
        )

    def chain(self, depth: int) -> Chain:
        """Returns terms joined by `-`, or nothing for `id`."""
        if depth > MOST_DEPTH:
            self.fail(f"at most {MOST_DEPTH} brackets in each other")
        if self._takes(IDENTITY):
            return ()
        terms = self._terms(depth)
        while self._takes("-"):
            terms += self._terms(depth)
        return terms

    def _terms(self, depth: int) -> Chain:
        opened = next((opened for opened in _OPENED if self._takes(opened)), None)
        if opened == "[":
            return self._repetition(depth)
        self._count(1)
        if opened is None:
            return (self._leaf(),)
        term = self._branch(depth) if opened == "(" else Routed(opened[:-1], self._filled(depth))
        if not self._takes(")"):
            self.fail("a closing )")
        return (term,)

    def _filled(self, depth: int) -> Chain:
        start = self.at
        chain = self.chain(depth + 1)
        if not chain:
            self.at = start
            self.fail("a layer")
        return chain

    def _branch(self, depth: int) -> Term:
        parts = [self.chain(depth + 1)]
        sign = self.text[self.at : self.at + 1]
        if sign not in ("+", "&"):
            self.fail("+ or & between branches")
        while self._takes(sign):
            parts.append(self.chain(depth + 1))
        return Branch(sign, tuple(parts))

    def _repetition(self, depth: int) -> Chain:
        chain = self._filled(depth)
        found = _TIMES.match(self.text, self.at)
        if found is None:
            self.fail("]* and how many times")
        times = int(found[1])
        self._count((times - 1) * size_of(chain))
        self.at = found.end()
        return chain * times

    def _leaf(self) -> Leaf:
        found = _LEAF.match(self.text, self.at)
        if found is None or found[1] not in FORMS:
            self.fail(f"one of {', '.join(FORMS)}, {TOKENS}(, {MAP}(, ( or [")
        form = FORMS[found[1]]
        for given, allowed, what in ((found[2], form.kernels, "kernel"), (found[3], form.numbers, "number")):
            if (int(given or 0) not in allowed) if allowed else given:
                self.fail(f"{found[1]} with {_one_of(what, allowed)}")
        if found[4] and not form.strided:
            self.fail(f"{found[1]} without a stride")
        self.at = found.end()
        return Leaf(found[1], int(found[2] or 0), int(found[3] or 0), 2 if found[4] else 1)

    def _takes(self, text: str) -> bool:
        if not self.text.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            self.fail(f"no more than {MOST_NODES} layers, branches and routings")


def _one_of(what: str, allowed: tuple[int, ...]) -> str:
    if not allowed:
        return f"no {what}"
    where = "right behind it" if what == "kernel" else "behind a colon"
    return f"one of {', '.join(map(str, allowed))} {where}"
