"""One call of a proxy, with everything that is to be seen of it from outside."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import io
import math
import random
import time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nas_ray.correlate.check_proxy.args import CheckProxyArgs
from nas_ray.correlate.check_proxy.net_state import changes, state_of
from nas_ray.correlate.check_proxy.pieces import Answer, Facts, Piece
from nas_ray.correlate.check_proxy.watching import watching
from nas_ray.correlate.check_proxy.world import batch_of, net_of, world_of
from nas_ray.errors import describe
from nas_ray.process.foreign_code import ForeignCode
from nas_ray.process.time_limit import TimedOut, time_limit
from nas_ray.proxies import PROXIES, Proxy
from nas_ray.proxies.sharing import nothing_shared
from nas_ray.proxies.values import named_values
from nas_ray.shared_weights.batched import BATCHED
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces.nats_tss import NatsTss

FORWARDS = 2
"""Forward passes of which the faster one counts."""


def answered(args: CheckProxyArgs, piece: Piece) -> tuple[Piece, Answer]:
    """Returns what a call gave; whatever it raises is part of it."""
    if piece.batched:
        return piece, Answer(wrong=_batched(args, piece))
    world = world_of(args)
    try:
        net, batch = net_of(args, piece), batch_of(args, piece)
    except Exception as error:  # of a space of others
        return piece, Answer(error=f"the net cannot be built: {describe(error)}")
    facts = _facts(net, batch[0]) if piece.facts else None
    return piece, dataclasses.replace(_called(world.name, world.proxy, net, batch, args, piece), facts=facts)


def _called(
    name: str,
    proxy: Proxy,
    net: nn.Module,
    batch: tuple[Tensor, Tensor],
    args: CheckProxyArgs,
    piece: Piece,
) -> Answer:
    before, given = state_of(net), [tensor.clone() for tensor in batch]
    found: Any = None
    values: dict[str, float] = {}
    error = ended = None
    inner = ForeignCode()
    watch = watching() if piece.watched else contextlib.nullcontext()
    start = time.perf_counter()
    with ForeignCode(), nothing_shared(), contextlib.redirect_stdout(io.StringIO()):
        _draw_from(piece.draws)
        try:
            with watch as watched, time_limit(args.timeout_s), inner:
                start = time.perf_counter()
                found = proxy(net, *batch)
        except TimedOut:
            ended = f"takes more than {args.timeout_s:g} s"
        except Exception as raised:
            error = describe(raised)
        seconds = time.perf_counter() - start
    if error is None and ended is None:
        try:
            values = named_values(name, found)
        except (TypeError, OverflowError) as raised:
            error = describe(raised)
    changed = inner.kept.changed
    return Answer(
        values,
        error,
        named=error is not None and name in error,
        kind=_kind(found),
        seconds=seconds,
        settings=tuple(one.name for one in changed if one.advice and not one.random),
        random=tuple(one.name for one in changed if one.random),
        net=changes(before, net),
        batch=not all(map(_same, batch, given)),
        overflow=None if watched is None else watched.said,
        ended=ended,
    )


def _draw_from(seed: int) -> None:
    """Begins all global random states anew."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # the global one is what is meant
    random.seed(seed)


def _same(one: Tensor, other: Tensor) -> bool:
    return torch.equal(one, other) and not one.requires_grad and one.grad is None


def _kind(found: Any) -> str:
    """Returns the type of a score; of several, of the first."""
    if isinstance(found, dict):
        return _kind(next(iter(found.values()), None))
    if isinstance(found, Tensor):
        return str(found.dtype)
    return f"numpy.{found.dtype}" if isinstance(found, (np.generic, np.ndarray)) else type(found).__name__


def _facts(net: nn.Module, inputs: Tensor) -> Facts | None:
    """Returns what is known of a net, None where it cannot be run."""
    net = copy.deepcopy(net)
    try:
        with ForeignCode():
            forward = math.inf
            for _ in range(FORWARDS):
                start = time.perf_counter()
                with torch.no_grad():
                    net(inputs)
                forward = min(forward, time.perf_counter() - start)
            images = inputs.clone().requires_grad_()
            out = net(images)
            weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(0))
            (out * weights.to(out)).sum().backward()
    except Exception:  # a net of others, of which its score will tell
        return None
    dead = any(one.grad is None or not one.grad.any() for one in net.parameters())
    path = images.grad is not None and bool(images.grad.any())
    try:
        live = float(PROXIES["live_ops"](net, inputs, inputs))  # type: ignore[arg-type]
    except ValueError:  # of another space
        live = None
    return Facts(sum(one.numel() for one in net.parameters()), live, path, dead, forward)


def _batched(args: CheckProxyArgs, piece: Piece) -> float:
    """Returns the largest relative difference of a batched score from that of the plain net, in float64."""
    world = world_of(args)
    assert isinstance(world.space, NatsTss)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(args.init_seed)
        supernet = Supernet(world.space, world.images.num_classes).double()
    inputs, targets = batch_of(args, dataclasses.replace(piece, double=True))
    with nothing_shared():
        both = [
            _or_nan(lambda: float(BATCHED[world.name](supernet, [piece.arch], inputs, targets)[0])),
            _or_nan(lambda: float(world.proxy(supernet.extract(piece.arch), inputs, targets))),  # type: ignore[arg-type]
        ]
    one, other = both
    if one == other or (math.isnan(one) and math.isnan(other)):
        return 0.0
    return abs(one - other) / max(abs(one), abs(other)) if all(map(math.isfinite, both)) else math.inf


def _or_nan(score: Any) -> float:
    """Returns a score, NaN where it is refused: both forms are to refuse alike."""
    try:
        return float(score())
    except ValueError:
        return math.nan
