"""Seconds and memory of a step of a one-shot search: our supernets beside the usual form.

    python perf/one_shot_step.py
    python perf/one_shot_step.py --space darts --cells 3 --batch-size 32
    python perf/one_shot_step.py --methods darts1 darts2 --forms
    python perf/one_shot_step.py --methods darts1 forward operations parameters both --forms

`usual` has a module for each operation of each edge and takes gradients of everything in each pass, as most
released code does; `channels last` is the same with maps in the order that convolutions on a CPU prefer, and
`asked` beside that takes only the gradients that are used. `ours` is what a search here runs. A step of
`darts1` is one of the weights of operations on a validation batch and one of the parameters of the net on a
training batch; `darts2` has the second-order gradient of DARTS; `gdas` computes one operation of each edge,
which `ours` alone knows. All start with equal parameters and see equal batches, so the losses of the first
step must be equal. They take turns in one process of one thread; seconds are those of the processor, which
other work on the machine disturbs less than the clock, and the median round counts. Memory is what a step
needs at most beside what was there before it.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
import statistics
import time

import torch
import tyro
from peak_memory import peak
from rich.console import Console
from rich.table import Table
from torch import Tensor
from usual_supernet import usual_form

from nas_ray.shared_weights.mixed import Mix, MixedNet, mixed_net
from nas_ray.spaces.named import make_space

LEARNING_RATE, RADIUS = 0.025, 0.01
TOLERANCE = 1e-5
"""Relative difference of the losses of the first step; float32 rounds sums in other orders otherwise."""
FORMS = {"usual": (False, True), "channels last": (True, True), "asked": (True, False)}
"""Beside `ours`: whether maps are channels last, and whether all gradients are taken."""

PASSES = {
    "forward": (False, False),
    "operations": (True, False),
    "parameters": (False, True),
    "both": (True, True),
}
"""Whether a pass takes the gradients of the weights of operations, and those of the parameters."""


@dataclasses.dataclass(frozen=True)
class Args:
    """What to measure."""

    space: str = "nats-tss"
    """Space with a supernet."""
    methods: tuple[str, ...] = ("darts1", "darts2", "gdas")
    """Of darts1, darts2 and gdas, or single passes: forward, operations, parameters and both."""
    forms: tuple[str, ...] = tuple(FORMS)
    """Beside `ours`; none to compare methods alone."""
    channels: int = 16
    """Width of the first cells."""
    cells: int = 5
    """Cells of a stage of nats-tss; all cells of darts."""
    batch_size: int = 64
    """Images in a batch."""
    image_size: int = 32
    """Height and width in pixels."""
    rounds: int = 5
    """Rounds, after one that warms up."""


class Kind:
    """A form of the net in a search: its parameters, its weights of operations, and their optimisers.

    Args:
        net: copied.
        everything: whether each pass takes the gradients of everything, as released code does.
    """

    def __init__(self, net: MixedNet, everything: bool = False) -> None:
        self.net, self.everything = net, everything
        self.parameters = list(net.parameters())
        draw = torch.Generator().manual_seed(0)
        self.logits = [torch.randn(graph.shape, generator=draw) for graph in net.graphs]
        self.sgd = torch.optim.SGD(self.parameters, LEARNING_RATE, momentum=0.9, weight_decay=3e-4)
        self.adam = torch.optim.Adam(self.logits, 3e-4, betas=(0.5, 0.999), weight_decay=1e-3)
        self.seconds: list[float] = []
        self.losses: tuple[float, ...] = ()


class Steps:
    """The steps of methods, in plain torch.

    Args:
        args: sizes.
    """

    def __init__(self, args: Args) -> None:
        size = args.image_size
        self.images = [torch.randn(args.batch_size, 3, size, size) for _ in range(2)]
        self.targets = [torch.randint(10, (args.batch_size,)) for _ in range(2)]

    def loss(self, kind: Kind, batch: int, weights: list[Tensor], hard: bool = False) -> Tensor:
        """Returns the loss of batch 0, for training, or 1, for validation."""
        mix = Mix(tuple(weights))
        if hard:
            mix = Mix(mix.weights, tuple(own.detach() > 0.5 for own in weights), inactive_as_scalar=True)
        return torch.nn.functional.cross_entropy(kind.net(self.images[batch], mix), self.targets[batch])

    def weights(self, kind: Kind, learn: bool, hard: bool = False) -> list[Tensor]:
        """Returns weights of operations as leaves, without gradients where nobody takes them."""
        soft = [own.softmax(1) for own in kind.logits]
        if hard:
            soft = [(own == own.amax(1, keepdim=True)).to(own.dtype) for own in soft]
        return [own.requires_grad_(learn or kind.everything) for own in soft]

    def darts1(self, kind: Kind, hard: bool = False) -> tuple[float, ...]:
        """Returns the losses of a step of the weights of operations and one of the parameters."""
        weights = self.weights(kind, True, hard)
        loss = self.loss(kind, 1, weights, hard)
        found = gradients(loss, [*weights, *(kind.parameters if kind.everything else ())])
        self.learn(kind, weights, found)
        return loss.item(), self.train(kind, hard)

    def gdas(self, kind: Kind) -> tuple[float, ...]:
        """Returns the losses of a step with one operation of each edge."""
        return self.darts1(kind, hard=True)

    def darts2(self, kind: Kind) -> tuple[float, ...]:
        """Returns the losses of a step of second order, all five passes."""
        kept = [own.detach().clone() for own in kind.parameters]
        loss = self.loss(kind, 0, self.weights(kind, False))
        move(kind.parameters, gradients(loss, kind.parameters), -LEARNING_RATE)
        weights = self.weights(kind, True)
        ahead = self.loss(kind, 1, weights)
        found = gradients(ahead, [*weights, *kind.parameters])
        direct, vector = found[: len(weights)], found[len(weights) :]
        scale = RADIUS / math.sqrt(sum(float(own.square().sum()) for own in vector))
        losses = [loss.item(), ahead.item()]
        for sign in (1.0, -1.0):
            torch._foreach_copy_([own.detach() for own in kind.parameters], kept)
            move(kind.parameters, vector, sign * scale)
            end = self.loss(kind, 0, weights)
            ends = gradients(end, weights)  # of these alone, in released code as well
            direct = [
                one - sign * LEARNING_RATE * own / (2 * scale) for one, own in zip(direct, ends, strict=True)
            ]
            losses.append(end.item())
        torch._foreach_copy_([own.detach() for own in kind.parameters], kept)
        self.learn(kind, weights, direct)
        return *losses, self.train(kind)

    def single(self, kind: Kind, operations: bool, parameters: bool) -> tuple[float, ...]:
        """Returns the loss of one pass that takes those gradients, or none."""
        weights = self.weights(kind, operations)
        with torch.set_grad_enabled(operations or parameters):
            loss = self.loss(kind, 0, weights)
        if wanted := [*(weights if operations else ()), *(kind.parameters if parameters else ())]:
            gradients(loss, wanted)
        return (loss.item(),)

    def take(self, method: str, kind: Kind) -> tuple[float, ...]:
        """Returns the losses of a step of a method, or that of a single pass, by its name."""
        if method in PASSES:
            return self.single(kind, *PASSES[method])
        losses: tuple[float, ...] = getattr(self, method)(kind)
        return losses

    @staticmethod
    def learn(kind: Kind, weights: list[Tensor], found: list[Tensor]) -> None:
        """Makes a step of the logits, of whose softmax the gradients were `found`."""
        for own, weight, slope in zip(kind.logits, weights, found, strict=False):
            soft = weight.detach()
            own.grad = soft * (slope - (soft * slope).sum(1, keepdim=True))
        kind.adam.step()

    def train(self, kind: Kind, hard: bool = False) -> float:
        """Returns the loss of a step of the parameters."""
        weights = self.weights(kind, False, hard)
        loss = self.loss(kind, 0, weights, hard)
        found = gradients(loss, [*kind.parameters, *(weights if kind.everything else ())])
        for own, slope in zip(kind.parameters, found, strict=False):
            own.grad = slope
        torch.nn.utils.clip_grad_norm_(kind.parameters, 5.0)
        kind.sgd.step()
        return loss.item()


def gradients(loss: Tensor, inputs: list[Tensor]) -> list[Tensor]:
    """Returns the gradients in `inputs`, zeros where there are none."""
    found = torch.autograd.grad(loss, inputs, allow_unused=True)
    return [torch.zeros_like(own) if one is None else one for one, own in zip(found, inputs, strict=True)]


def move(tensors: list[Tensor], directions: list[Tensor], length: float) -> None:
    """Adds `length` times `directions`."""
    torch._foreach_add_([own.detach() for own in tensors], directions, alpha=length)


def kinds_of(net: MixedNet, method: str, forms: tuple[str, ...]) -> dict[str, Kind]:
    """Returns the forms in which a method is measured, with equal parameters."""
    usual = {name: how for name, how in FORMS.items() if name in forms and method != "gdas"}
    made = {name: Kind(usual_form(net, last), everything) for name, (last, everything) in usual.items()}
    return {**made, "ours": Kind(copy.deepcopy(net))}


def ratio(seconds: list[float], others: list[float]) -> float:
    """Returns the median of what some rounds took in units of others at the same time."""
    return statistics.median(one / other for one, other in zip(seconds, others, strict=True))


def main(args: Args) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = mixed_net(make_space(args.space), 10, channels=args.channels, cells=args.cells)
    steps = Steps(args)
    forms = [
        (method, name, kind)
        for method in args.methods
        for name, kind in kinds_of(net, method, args.forms).items()
    ]
    for turn in range(args.rounds + 1):
        for method, _, kind in forms:
            start = time.process_time()
            losses = steps.take(method, kind)
            if turn:
                kind.seconds.append(time.process_time() - start)
            else:
                kind.losses = losses
    ours = {method: kind for method, name, kind in forms if name == "ours"}
    table = Table("method", "form", "s", "times", "memory (MB)", "loss", title=f"A step on {args.space}")
    for method, name, kind in forms:
        pairs = zip(kind.losses, ours[method].losses, strict=True)
        assert all(math.isclose(*pair, rel_tol=TOLERANCE) for pair in pairs), (method, name, kind.losses)
        of, base = (method, "ours") if name != "ours" else ("darts1", "darts1")
        against = ours.get(of)
        times = "" if against in (None, kind) else f"{ratio(kind.seconds, against.seconds):.2f} x {base}"
        grown = peak(functools.partial(steps.take, method, kind))
        seconds = f"{statistics.median(kind.seconds):.3f}"
        table.add_row(method, name, seconds, times, f"{grown:.0f}", f"{kind.losses[-1]:.5f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
