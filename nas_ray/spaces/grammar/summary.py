"""Sentences for people: in one line, and as a tree."""

from __future__ import annotations

from collections import Counter

from nas_ray.spaces.grammar.reading import read
from nas_ray.spaces.grammar.shapes import after, steps_of
from nas_ray.spaces.grammar.terms import Branch, Chain, Leaf, runs


def summary(chain: Chain) -> str:
    """Returns how many layers and branches of which kind there are, for people."""
    steps = steps_of(chain)
    counts = Counter(step.term.word if isinstance(step.term, Leaf) else step.term.sign for step in steps)
    layers = [
        f"{counts[word]} {word}" for word in ("conv", "dw", "patch", "lin", "attn", "mix") if counts[word]
    ]
    branches = [
        f"{counts[sign]} {what}{'s' if counts[sign] > 1 else ''}"
        for sign, what in (("+", "sum"), ("&", "concatenation"))
        if counts[sign]
    ]
    end = after(chain)
    parts = [" ".join(layers), *branches, f"{end.width} channels at stride {end.stride}"]
    return ", ".join(part for part in parts if part)


def tree(arch: str) -> str:
    """Returns an arch as lines: layers in a row on one, and below each other what is branched or routed.

    Raises:
        UsageError: no arch.
    """
    return "\n".join(_lines(read(arch)))


def _lines(chain: Chain) -> list[str]:
    lines: list[str] = []
    row: list[str] = []
    for part, times in runs(chain):
        term = part[0]
        if times == 1 and isinstance(term, Leaf):
            row.append(str(term))
            continue
        lines += [" - ".join(row)] if row else []
        row = []
        if times > 1:
            lines += [f"{times} times:", *_indented(_lines(part), "    ")]
        elif isinstance(term, Branch):
            for branch in term.parts:
                lines += _indented(_lines(branch) or ["id"], f"{term.sign} ")
        elif not isinstance(term, Leaf):
            lines += [f"as {term.kind}:", *_indented(_lines(term.inner), "    ")]
    return [*lines, *([" - ".join(row)] if row else [])]


def _indented(lines: list[str], first: str) -> list[str]:
    """Returns lines with `first` before them, and but for the first one blanks of its length."""
    return [f"{' ' * len(first) if place else first}{line}" for place, line in enumerate(lines)]
