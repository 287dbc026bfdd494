"""Archs of NATS-TSS that compute the same function, but for the names of their weights."""

from __future__ import annotations

from collections.abc import Iterable

from nas_ray.spaces.nats_tss import EDGES, to_ops
from nas_ray.spaces.plans import INPUT, OUTPUT, live_ops


def canonical_form(arch: str) -> str:
    """Returns an expression that is equal for archs which are isomorphic without dead and identity parts.

    A node is the sorted sum of its live incoming operations, and a skip connection is the sum that it
    connects to. On independent weights, archs of one form have the same distribution of outputs and of
    gradients, though not the same numbers.

    Source: the idea is that of Dong and Yang, "NAS-Bench-201", ICLR 2020.
    Differs: the published strings keep `none` as a term of a sum and a sum inside a sum apart, and so count
    6,466 forms (`published_form`); with both removed there are 4,930.

    Raises:
        UsageError: not an arch of the space.
    """
    ops = live_ops(to_ops(arch))
    sums: dict[int, list[str]] = {INPUT: ["x"]}
    for (source, target), op in zip(EDGES, ops, strict=True):
        if op != "none":
            terms = sums[source] if op == "skip_connect" else [f"{op}({'+'.join(sums[source])})"]
            sums[target] = sorted([*sums.get(target, []), *terms])
    return "+".join(sums.get(OUTPUT, ["0"]))


def published_form(arch: str) -> str:
    """Returns the string by which NAS-Bench-201 counts 6,466 different archs of this space.

    The input is 0 and a zero is #. A sum that is a term of a sum is not taken apart, so the order of its
    terms depends on these symbols, and so does the count.

    Raises:
        UsageError: not an arch of the space.
    """
    nodes = {INPUT: "0"}
    for node in range(INPUT + 1, OUTPUT + 1):
        terms = []
        for (source, target), op in zip(EDGES, to_ops(arch), strict=True):
            if target == node:
                known = nodes[source] if op == "skip_connect" else f"({nodes[source]})@{op}"
                terms.append("#" if op == "none" or nodes[source] == "#" else known)
        nodes[node] = "+".join(sorted(terms))
    return nodes[OUTPUT]


def representatives(archs: Iterable[str]) -> dict[str, str]:
    """Returns for each arch the first one of `archs` with the same canonical form."""
    first: dict[str, str] = {}
    return {arch: first.setdefault(canonical_form(arch), arch) for arch in archs}
