"""Which operations the edges of a DARTS cell may take: sets by name, and how others are written.

Source: Zela et al., "Understanding and Robustifying Differentiable Architecture Search", ICLR 2020, section
3, and the released lists, for `s1` to `s4`; `nine` and its halves are the operations of DARTS and
sep_conv_7x7, parted so that each half has pools, shortcuts and both kinds of convolutions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from nas_ray.errors import UsageError, printable, unknown_name
from nas_ray.spaces.darts_cells import read_genotype

OPS: tuple[str, ...] = (
    *("none", "max_pool_3x3", "avg_pool_3x3", "skip_connect"),
    *("sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"),
)
"""The candidate operations of DARTS in the released order; `none` is mixed in a search, and in no arch."""

KNOWN: tuple[str, ...] = (*OPS, "sep_conv_7x7", "conv_7x1_1x7", "conv_1x1", "conv_3x3", "noise")
"""All operations that cells are made of; `darts_ops.OPERATIONS` makes them."""

NONE = "none"

SHORT: Mapping[str, str] = MappingProxyType(
    {
        "none": "none",
        "max_pool_3x3": "max",
        "avg_pool_3x3": "avg",
        "skip_connect": "skip",
        "sep_conv_3x3": "sep3",
        "sep_conv_5x5": "sep5",
        "dil_conv_3x3": "dil3",
        "dil_conv_5x5": "dil5",
        "sep_conv_7x7": "sep7",
        "conv_7x1_1x7": "conv7",
        "conv_1x1": "conv1",
        "conv_3x3": "conv3",
        "noise": "noise",
    }
)
"""Short words for all operations, for people."""

OP_SETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "darts": OPS,
        "nine": (*OPS[:6], "sep_conv_7x7", *OPS[6:]),
        "half-1": (NONE, "max_pool_3x3", "skip_connect", "sep_conv_5x5", "dil_conv_3x3"),
        "half-2": (NONE, "avg_pool_3x3", "sep_conv_3x3", "sep_conv_7x7", "dil_conv_5x5"),
        "s1": (*OPS[1:5], *OPS[6:]),
        "s2": ("skip_connect", "sep_conv_3x3"),
        "s3": (NONE, "skip_connect", "sep_conv_3x3"),
        "s4": ("noise", "sep_conv_3x3"),
    }
)
"""Operations by the name of their set; of `s1`, `S1` says which edge may take which."""

_LETTERS = dict(zip("maks35", OP_SETS["s1"], strict=True))


def _pairs(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_LETTERS[letter] for letter in edge) for edge in text.split())


S1: Mapping[str, tuple[tuple[str, ...], ...]] = MappingProxyType(
    {
        "normal": _pairs("k3 k5 k5 ks k3 mk ks ks k3 ks mk k3 35 35"),
        "reduce": _pairs("ma m3 ma ma k5 ma ms k3 k5 ma ma k5 k5 k5"),
    }
)
"""Of the set `s1`, the two operations of each of the 14 edges of both cells."""


def read_ops(ops: str | Sequence[str]) -> tuple[str, ...]:
    """Returns the operations of a set.

    Args:
        ops: a name of `OP_SETS`, operations joined by `+`, or operations.

    Raises:
        UsageError: unknown, or given twice, or fewer than two beside `none`.
    """
    if isinstance(ops, str) and ops in OP_SETS:
        return OP_SETS[ops]
    given = tuple(part.strip() for part in ops.split("+")) if isinstance(ops, str) else tuple(ops)
    for op in given:
        if op not in KNOWN:
            what = "operation of darts, or set of them," if len(given) == 1 else "operation of darts"
            raise UsageError(unknown_name(what, str(op), [*KNOWN, *(OP_SETS if len(given) == 1 else ())]))
    if len(set(given)) < len(given) or len(set(given) - {NONE}) < 2:
        raise UsageError(
            "The operations of darts must be two or more beside none, each once, got "
            f"{', '.join(printable(given)) or 'none at all'}."
        )
    return given


def third_search_ops(first: str, second: str, count: int = 3) -> tuple[str, ...]:
    """Returns the operations of a third search, after two searches with one half of the operations each.

    They are `none` and the `count` operations that the normal cell of each arch has most often; of operations
    that are equally frequent, the one that comes first in the cell. So a search over few operations at a
    time, which needs little memory, can end with the best of all.

    Args:
        first: the arch found with the set `half-1`.
        second: the arch found with `half-2`.
        count: operations taken of each.

    Raises:
        UsageError: no archs of darts.
    """
    chosen = [NONE]
    for arch in (first, second):
        ops = read_genotype(arch).normal.ops
        frequent = sorted(dict.fromkeys(ops), key=lambda op: -ops.count(op))  # stable: ties stay in order
        chosen += [op for op in frequent[:count] if op not in chosen]
    return tuple(op for op in KNOWN if op in chosen)


def counted_ops(ops: Sequence[str], short: Mapping[str, str] = SHORT) -> str:
    """Returns each operation with its number, the frequent ones first, such as `5 sep3 2 skip`."""
    return " ".join(
        f"{ops.count(op)} {short[op]}" for op in sorted(set(ops), key=lambda op: (-ops.count(op), op))
    )
