"""Stages of a search: how deep and wide the supernet is, and how many operations an edge has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from nas_ray.shared_weights.methods.method import Method
from nas_ray.spaces.edges import EdgeGraph


@dataclass(frozen=True)
class Stage:
    """Some epochs with one supernet.

    Attributes:
        first: its first epoch.
        epochs: how many it has.
        share: of the operations of an edge that are there.
        cells: of the supernet; None for those of the space.
        partial: K, where one in K channels goes through the operations.
        drop: first dropout rate behind skip connections.
        warmup: epochs in which weights alone are trained.
        fresh: whether weights, parameters and learning rate begin anew with it.
    """

    first: int
    epochs: int
    share: float = 1.0
    cells: int | None = None
    partial: int = 1
    drop: float = 0.0
    warmup: int = 0
    fresh: bool = True

    def drop_rate(self, epoch: int) -> float:
        """Returns the dropout rate in an epoch of the search: linear in the warm-up, then exponential."""
        own = epoch - self.first
        if own < self.warmup:
            return self.drop * (self.epochs - own - 1) / self.epochs
        return self.drop * math.exp(-0.2 * (own - self.warmup))


def stages_of(
    method: Method, graphs: Sequence[EdgeGraph], epochs: int, cells: int | None
) -> tuple[Stage, ...]:
    """Returns the stages of a search of so many epochs; `cells` are those that the user gave."""
    if method.stages == "p-darts":
        return progressive_depth(method, graphs, epochs, cells)
    if method.stages == "drnas":
        return progressive_width(method, graphs, epochs, cells)
    warmup = round(method.warmup * epochs)
    return (Stage(0, epochs, cells=cells, partial=method.partial, drop=method.drop_skip, warmup=warmup),)


def progressive_depth(
    method: Method, graphs: Sequence[EdgeGraph], epochs: int, cells: int | None
) -> tuple[Stage, ...]:
    """Returns three stages with 8, 5 and 3 of 8 operations and 5, 11 and 17 cells, each anew.

    Source: Chen et al., "Progressive Differentiable Architecture Search", ICCV 2019, section 4.2 and the
    release: 25 epochs a stage, 10 of them of weights alone; dropout of 0.1, 0.4, 0.7 behind skips.
    Differs: of other numbers of operations the same shares are kept. Depth grows where an arch has some of
    the edges, as in DARTS; in the skeleton of NATS-Bench, for which nothing is published, it stays.
    """
    grows = any(graph.kept is not None for graph in graphs)
    depths = [
        (5, 11, 17)[number] if cells is None else round(cells * growth)
        for number, growth in enumerate((1, 2.2, 3.4))
    ]
    parts = _parts(epochs, 3)
    return tuple(
        Stage(
            sum(parts[:number]),
            part,
            share,
            depths[number] if grows else cells,
            method.partial,
            method.drop_skip * drop,
            round(max(method.warmup, 0.4) * part),
        )
        for number, (part, share, drop) in enumerate(
            zip(parts, (1.0, 5 / 8, 3 / 8), (1 / 7, 4 / 7, 1.0), strict=True)
        )
    )


def progressive_width(
    method: Method, graphs: Sequence[EdgeGraph], epochs: int, cells: int | None
) -> tuple[Stage, ...]:
    """Returns two stages: all operations on a part of the channels, then half of them on a larger part.

    Source: Chen et al., "DrNAS", ICLR 2021, section 4 and the release: one in 4 and then in 2 channels on
    NAS-Bench-201, 6 and then 4 on DARTS; a fifth of each stage trains weights alone.
    Differs: what widens copies channels at random as Net2Wider does, but is not the same function as before.
    """
    wide = (4, 2) if all(graph.kept is None for graph in graphs) else (6, 4)
    parts = _parts(epochs, 2)
    return tuple(
        Stage(
            sum(parts[:number]),
            part,
            share,
            cells,
            partial,
            warmup=round(max(method.warmup, 0.2) * part),
            fresh=False,
        )
        for number, (part, share, partial) in enumerate(zip(parts, (1.0, 0.5), wide, strict=True))
    )


def _parts(epochs: int, number: int) -> list[int]:
    """Returns `epochs` in so many parts, the first ones larger where they cannot be equal."""
    return [epochs // number + (place < epochs % number) for place in range(number)]


def weaker_dropped(graph: EdgeGraph, strengths: Tensor, keep: Tensor, share: float) -> Tensor:
    """Returns bool `[E, O]`: the stronger operations of each edge, a `share` of those that it may take.

    Of equal ones the first goes, as in the release of P-DARTS; at least two stay.

    Args:
        graph: the cell.
        strengths: `[E, O]`, on the CPU.
        keep: bool `[E, O]`, what is still there.
        share: of the operations that an edge may take.
    """
    left = (share * torch.tensor(graph.mask).sum(1) + 0.5).floor().clamp(min=2)
    values = strengths.detach().nan_to_num(nan=-torch.inf).masked_fill(~keep, -torch.inf)
    weakest_first = values.sort(dim=1, stable=True).indices
    behind = len(graph.ops) - weakest_first.argsort(dim=1)  # 1 for the strongest
    return (behind <= left[:, None]) & keep


def widened(old: dict[str, Tensor], new: dict[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """Returns the state of a wider net made of that of a narrower one; more channels are copies.

    Source: Chen et al., "Net2Net", ICLR 2016, of which DrNAS takes the copies: channels that come in are
    copies of random ones, and where they are inputs of a convolution the weights of a channel are shared out.
    Differs: channels are drawn for each tensor, and what is read of the new channels is what is there.
    """
    return {name: _wider(old[name], like, generator) if name in old else like for name, like in new.items()}


def _wider(old: Tensor, like: Tensor, generator: torch.Generator) -> Tensor:
    values = old.to(like.device)
    for axis, (had, has) in enumerate(zip(old.shape, like.shape, strict=True)):
        if has > had:
            extra = torch.randint(had, (has - had,), generator=generator)
            places = torch.cat([torch.arange(had), extra]).to(like.device)
            values = values.index_select(axis, places)
            if axis == 1:
                times = torch.bincount(places, minlength=had)[places].to(values)
                values = values / times.view([-1 if place == axis else 1 for place in range(values.ndim)])
    return values
