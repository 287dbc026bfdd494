"""What is otherwise where a one-shot search reads a text: numbers of methods, states, dropouts, penalties."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from nas_ray.errors import UsageError
from nas_ray.shared_weights.methods.batches import Batch, Batches, judging, on_device
from nas_ray.shared_weights.methods.method import Method
from nas_ray.shared_weights.methods.schedule import Protocol
from nas_ray.shared_weights.methods.supernet_training import Loss, SupernetTraining
from nas_ray.shared_weights.mixed import Mix, MixedNet
from nas_ray.shared_weights.mixed.recurrent import Piece, RecurrentMixedNet
from nas_ray.spaces.edges import EdgeSpace
from nas_ray.spaces.rnn.running import Dropouts, State
from nas_ray.spaces.rnn.space import DartsRnn
from nas_ray.training.language_training import dropouts_of, perplexity, with_temporal_penalty
from nas_ray.training.recipes import Recipe
from nas_ray.training.recurrent import state_for

NUMBERS: Final[dict[str, Any]] = {
    "lr": 20.0,
    "lr_min": 20.0,
    "momentum": 0.0,
    "nesterov": 0.0,
    "weight_decay": 5e-7,
    "clip": 0.25,
    "arch_lr": 3e-3,
    "arch_beta": 0.9,
    "batch_size": 256,
    "epochs": 50,
    "order": "architecture",
}
"""Of the published search for recurrent cells, and for all methods where a text is read.

Source: Liu et al., "DARTS", ICLR 2019, appendix A.1.2 and the release.
"""
METHODS: Final = ("darts1", "darts2", "gdas", "drnas", "rs-ws")
"""The methods that have all that they need in a recurrent supernet."""
LACKING: Final = {
    "partial": (1,),
    "edges": ("none",),
    "skip": ("none",),
    "stages": ("none",),
    "freeze": ("none",),
    "perturb": ("none",),
    "gradient": ("first", "second", "none"),
    "derive": ("argmax", "sampled"),
    "drop_skip": (0.0,),
}
"""Of parts and numbers of methods those that a recurrent supernet can follow."""

RECIPE: Final = Recipe(
    batch_size=256,
    embedding_dropout=0.2,
    input_dropout=0.75,
    hidden_dropout=0.25,
    output_dropout=0.75,
    temporal_penalty=1e-3,
)
"""Dropouts and penalty of the published search, and how a text is cut into pieces."""


def check_fits(method: Method, space: EdgeSpace) -> None:
    """Checks that a method needs nothing that the supernet of a space of recurrent cells lacks.

    Raises:
        UsageError: it does.
    """
    if not isinstance(space, DartsRnn):
        return
    wrong = [name for name, known in LACKING.items() if getattr(method, name) not in known]
    if wrong or method.name not in METHODS or "lambda" in method.penalties:
        also = f", got {wrong[0]}={getattr(method, wrong[0])}" if wrong else ""
        raise UsageError(
            f"The one-shot method {method.name} is not for recurrent cells, whose supernet has one cell, no "
            f"skip connections and weights that operations share{also}; take {', '.join(METHODS)}."
        )


class RecurrentTraining(SupernetTraining):
    """A recurrent supernet and the optimiser of its weights; states are carried from piece to piece.

    Every pass of one gradient has the same masks, which are drawn from a seed.

    Source: Liu et al., "DARTS", ICLR 2019, and the release of its search for recurrent cells.
    Differs: the release draws new masks in each pass of a second-order gradient.

    Args:
        net, method, how, loss: as of `SupernetTraining`.
        recipe: dropouts, temporal penalty, and the length by which the learning rate is scaled.

    Attributes:
        carried: by what is trained, `train` or `valid`, the state behind the last piece.
    """

    seeded = True

    def __init__(self, net: MixedNet, method: Method, how: Protocol, loss: Loss, recipe: Recipe) -> None:
        assert isinstance(net, RecurrentMixedNet)
        super().__init__(net, method, how, loss)
        self.recurrent, self.recipe = net, recipe
        self.virtual_clip = method.clip
        self.carried: dict[str, State] = {}
        net.language.dropouts = dropouts_of(recipe)

    def begin_epoch(self) -> None:
        """Begins both texts anew."""
        self.carried = {}

    def continued(self, kind: str, batch: Batch) -> Batch:
        """Returns a batch whose inputs have the state that was carried to it."""
        tokens, targets = batch
        state = state_for(self.recurrent.begin, self.carried.get(kind), len(tokens))
        return Piece(tokens, state), targets  # type: ignore[return-value]  # what the net takes

    def keep(self, kind: str, batch: Batch) -> None:
        """Carries the state behind a batch that the net has read on to the next."""
        piece: Any = batch[0]
        self.carried[kind] = piece.after

    def rate_of(self, batch: Batch) -> float:
        """Returns by what the learning rate is multiplied: the length of the piece over the usual one."""
        return batch[1].shape[1] / self.recipe.bptt

    def outputs(self, inputs: Any, mix: Mix, seed: int = 0) -> Tensor:
        """Returns what the net says of `inputs`, with the masks of a seed."""
        net = self.recurrent
        if not net.training or net.language.dropouts == Dropouts():
            return net(inputs, mix)  # type: ignore[no-any-return]
        device = next(net.parameters()).device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(seed)
            return net(inputs, mix)  # type: ignore[no-any-return]

    def penalised(self, loss: Tensor, batch: Batch) -> Tensor:
        """Returns the loss of the weights: with what the outputs change from word to word."""
        piece: Any = batch[0]
        return with_temporal_penalty(loss, piece.ran.outputs, self.recipe)

    def worth(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns what archs are compared by: the negative of the nats of a token."""
        return -cross_entropy(outputs.flatten(0, -2), targets.flatten())

    def judged(self, batches: Batches, mix: Callable[[], Mix], device: torch.device) -> dict[str, float]:
        """Returns `valid_acc`, words told rightly in percent, `valid_nats` of a token and its perplexity."""
        net = self.recurrent
        right, nats, number = 0.0, 0.0, 0
        with judging(net):
            state: State | None = None
            for batch in batches:
                tokens, targets = on_device(batch, device)
                ran = net.run(tokens, state_for(net.begin, state, len(tokens)), mix())
                state, count = ran.state, targets.numel()
                right += float((ran.logits.argmax(-1) == targets).sum())
                nats -= float(self.worth(ran.logits, targets)) * count
                number += count
        if not number:
            return {"valid_acc": math.nan, "valid_nats": math.nan, "valid_perplexity": math.nan}
        mean = nats / number
        return {
            "valid_acc": 100 * right / number,
            "valid_nats": mean,
            "valid_perplexity": perplexity(mean),
        }

    def state(self) -> dict[str, Any]:
        """Returns weights, statistics, momentum, and the states that are carried."""
        return {**super().state(), "carried": self.carried}

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on as after `state`."""
        super().load_state(state)
        device = next(self.net.parameters()).device
        carried = state.get("carried", {})
        self.carried = {kind: tuple(part.to(device) for part in own) for kind, own in carried.items()}


def training_of(
    net: MixedNet, method: Method, how: Protocol, loss: Loss, recipe: Recipe | None
) -> SupernetTraining:
    """Returns what trains a supernet; `recipe` is that of texts, None for the published one.

    Raises:
        UsageError: a recurrent supernet cannot follow the method.
    """
    if isinstance(net, RecurrentMixedNet):
        return RecurrentTraining(net, method, how, loss, recipe or RECIPE)
    return SupernetTraining(net, method, how, loss)


def of_text(method: Method, said: set[str]) -> Method:
    """Returns a method with the numbers of the published search for recurrent cells, but for those `said`."""
    return dataclasses.replace(method, **{name: value for name, value in NUMBERS.items() if name not in said})


def for_streams(method: Method, said: set[str]) -> Method:
    """Returns a method whose learning rate is constant, in proportion to its streams, but for what is `said`.

    The published rate is for 256 streams. With as few as suit a small text gradients are noisier, and the
    supernet diverges at that rate.

    Source: Goyal et al., "Accurate, Large Minibatch SGD", 2017, section 2.1.
    """
    lr = method.lr if "lr" in said else NUMBERS["lr"] * method.batch_size / NUMBERS["batch_size"]
    return dataclasses.replace(method, lr=lr, lr_min=method.lr_min if "lr_min" in said else lr)
