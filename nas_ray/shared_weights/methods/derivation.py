"""The arch that a search has found: by strengths, by what a removal costs, or the best of a sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice

import torch
from torch import Tensor

from nas_ray.errors import UsageError
from nas_ray.shared_weights.methods.arch_weights import Policy, UniformPath
from nas_ray.shared_weights.methods.batches import Batch, Batches, judging, on_device
from nas_ray.shared_weights.methods.chance import Chance
from nas_ray.shared_weights.methods.core import SearchCore
from nas_ray.shared_weights.methods.derive import strongest
from nas_ray.shared_weights.methods.removal import by_removal
from nas_ray.shared_weights.mixed import one_hot
from nas_ray.spaces.edges import Chosen

Derivation = Callable[["SearchCore", Batches, "Batches | None"], str]
"""`(search, validation batches, training batches or None) -> arch`."""


def by_strength(search: SearchCore, valid: Batches = (), train: Batches | None = None) -> str:
    """Returns the arch of the strongest operations, by the published rule of the space (`derive.py`)."""
    edges = search.edge_strengths()
    return search.space.from_edges(
        [
            strongest(
                graph,
                strengths,
                None if edges is None else edges[number],
                search.method.most_skips if number == 0 else None,
            )
            for number, (graph, strengths) in enumerate(zip(search.graphs, search.strengths(), strict=True))
        ]
    )


def best_of_sampled(search: SearchCore, valid: Batches, train: Batches | None = None) -> str:
    """Returns the best of sampled archs, each judged on one validation batch with the weights of the net.

    Source: Li and Talwalkar, UAI 2019, and Pham et al., ICML 2018; 100 archs and one batch for each as in the
    published search of NATS-Bench.
    Differs: archs that are drawn twice are judged once.

    Raises:
        UsageError: there is no validation batch.
    """
    net, device = search.net, search.device
    archs = list(islice(dict.fromkeys(_samples(search)), search.method.samples))
    shares: list[Tensor] = []
    with judging(net):
        for arch, batch in zip(archs, _endless(valid)):  # noqa: B905 batches have no end
            mix = one_hot(search.space, arch, next(net.parameters()).dtype)
            weights = tuple(own.to(device, non_blocking=True) for own in mix.weights)
            inputs, targets = on_device(batch, device)
            shares.append(search.training.worth(net(inputs, type(mix)(weights, mix.active)), targets))
    values = torch.stack(shares).nan_to_num(nan=-math.inf).tolist()
    return archs[values.index(max(values))]


def _endless(valid: Batches) -> Iterator[Batch]:
    """Yields validation batches for ever."""
    while True:
        any_left = False
        for batch in valid:
            any_left = True
            yield batch
        if not any_left:
            raise UsageError(
                "Comparing sampled archs needs validation batches that can be read again, got none."
            )


def _samples(search: SearchCore) -> Iterator[str]:
    """Yields archs as the method draws them, a bounded number."""
    chance = Chance(search.seed, torch.device("cpu"))
    arch, keep = search.mixes.arch, search.mixes.there
    strengths = None if isinstance(arch, (UniformPath, Policy)) else search.strengths()
    for _ in range(20 * search.method.samples):
        if strengths is None:
            masks = [own.active for own in arch.draw(keep, chance)]
            chosen = [_chosen(graph.ops, mask) for graph, mask in zip(search.graphs, masks, strict=True)]
        else:
            noisy = [own.detach().cpu().log() - chance.exponential(own.cpu()).log() for own in strengths]
            chosen = [strongest(graph, own) for graph, own in zip(search.graphs, noisy, strict=True)]
        yield search.space.from_edges(chosen)


def _chosen(ops: tuple[str, ...], mask: Tensor | None) -> Chosen:
    places = [] if mask is None else mask.nonzero().tolist()
    return {edge: ops[op] for edge, op in places}


DERIVATIONS: dict[str, Derivation] = {
    "argmax": by_strength,
    "sampled": best_of_sampled,
    "perturbation": by_removal,
}
"""How an arch is derived."""
