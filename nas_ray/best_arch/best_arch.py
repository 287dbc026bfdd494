"""The arch that FreeREA's score likes best, found and proven without scoring everything by everything."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from nas_ray.best_arch.proven import Proof, prove_best
from nas_ray.drivers.pool import score_chunks
from nas_ray.drivers.resources import Plan
from nas_ray.errors import UsageError
from nas_ray.images.image_data import ImageDataModule
from nas_ray.shared_weights.one_by_one import OUTPUT_ONLY, alike_together, first_of_each
from nas_ray.shared_weights.scorer import ChunkScorer
from nas_ray.spaces.nats_tss import NatsTss, skip_spans, to_ops

LONGEST = 3
"""Nodes that the longest skip connection of the cell reaches ahead."""

CHUNK = 64


@dataclass(frozen=True)
class Found:
    """What one run found.

    Attributes:
        proof: the best arch and its distance to all others.
        nets: different nets that were scored with LogSynFlow.
        seconds: of the whole run.
    """

    proof: Proof
    nets: int
    seconds: float


def best_arch(space: NatsTss, images: ImageDataModule, plan: Plan, *, init_seed: int) -> Found:
    """Returns the arch of `space` with the largest sum of normalised NASWOT, LogSynFlow and skip span.

    `naswot / max + logsynflow / max + skip / max`, the maxima over all archs. LogSynFlow is computed for all
    different nets, as batches; NASWOT for the few archs that could still win, since it is at most
    `B log(units)` for B images (Hadamard's inequality: each diagonal element of its matrix is the number of
    units). Ray must be initialised.

    Source: the score is that of Cavagnero et al., "FreeREA: Training-Free Evolution-based Architecture
    Search", WACV 2023, section 3.3.
    Differs: there the maxima are those of the archs visited by an evolution, and scores are means over three
    initialisations by kaiming_normal; here one set of weights serves all archs, and the best of all is found.

    Args:
        space: whose archs compete.
        images: gives the minibatch.
        plan: how many workers.
        init_seed: of the weights.

    Raises:
        UsageError: LogSynFlow failed for an arch.
    """
    start = time.perf_counter()
    archs = alike_together(space.archs)
    nets, where = first_of_each(archs, OUTPUT_ONLY.key)
    inputs, targets = (tensor.numpy() for tensor in images.minibatch())
    batch = (space, images.num_classes, inputs, targets)
    flows = _log_synflow(ChunkScorer(*batch, ["logsynflow"], init_seed=init_seed), nets, plan)
    largest = max(flows)
    rest = {
        arch: flows[place] / largest + _mean_span(arch) / LONGEST
        for arch, place in zip(archs, where, strict=True)
    }
    ceiling = {arch: len(inputs) * math.log(relu_units(arch, space, inputs.shape[2])) for arch in archs}
    naswot = ChunkScorer(*batch, ["naswot"], init_seed=init_seed)

    def evaluate(some: Sequence[str]) -> dict[str, float]:
        return dict(zip(some, naswot(some)["naswot"], strict=True))

    proof = prove_best(rest, ceiling, evaluate)
    return Found(proof, len(nets), time.perf_counter() - start)


def _log_synflow(scorer: ChunkScorer, nets: Sequence[str], plan: Plan) -> list[float]:
    chunks = [nets[i : i + CHUNK] for i in range(0, len(nets), CHUNK)]
    done = dict(score_chunks(scorer, chunks, plan, columns=["logsynflow"]))
    table = pd.concat([done[number] for number in range(len(chunks))], ignore_index=True)
    if table["logsynflow"].isna().any():
        failed = table[table["logsynflow"].isna()].iloc[0]
        raise UsageError(
            f"LogSynFlow must have a value for every arch, but {failed['arch']}: {failed['error']}."
        )
    return [float(value) for value in table["logsynflow"]]


def _mean_span(arch: str) -> float:
    spans = skip_spans(to_ops(arch))
    return sum(spans) / len(spans) if spans else 0.0


def relu_units(arch: str, space: NatsTss, size: int) -> int:
    """Returns how many units all ReLUs of the net of `arch` have, for one image of `size` x `size` pixels."""
    convolutions = sum(op.startswith("nor_conv") for op in to_ops(arch))
    maps: list[int] = [space.channels * 2**stage * (size >> stage) ** 2 for stage in range(3)]
    reductions = sum(maps[stage] + maps[stage + 1] for stage in range(2))  # their two ReLUs
    return space.cells * convolutions * sum(maps) + reductions + maps[2]
