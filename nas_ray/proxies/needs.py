"""What a proxy needs of data and nets, so that one that cannot work is refused before a search."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import Tensor, nn

from nas_ray.errors import UsageError
from nas_ray.proxies.on_tokens import OF_EMBEDDING, carries_state, has_embedding

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Needs:
    """What a proxy cannot do without; a built-in one says it with `needs`, and so may any other.

    Attributes:
        images: inputs `[B, C, H, W]` of real numbers.
        numbers: inputs of real numbers, which can be differentiated in or replaced by noise.
        labels: targets `[B]`, each the number of an output.
        modules: kinds of modules, one of which a net must have.
        words: what these are called.
        embedded: of a text, the embedded words do for `numbers`.
        recurrent: it says something of nets that carry a state through a text.
        parts: it cuts the minibatch into parts, so that the order of the examples counts.
    """

    images: bool = False
    numbers: bool = False
    labels: bool = False
    modules: tuple[type[nn.Module], ...] = ()
    words: str = ""
    embedded: bool = False
    recurrent: bool = True
    parts: bool = False

    def missing(self, inputs: Tensor, targets: Tensor, num_outputs: int) -> str | None:
        """Returns what a minibatch lacks, None where it suits."""
        real = inputs.is_floating_point()
        given = f"{str(inputs.dtype).removeprefix('torch.')} {list(inputs.shape)}"
        if self.images and not (real and inputs.dim() == 4):
            return f"images as inputs, real numbers [B, C, H, W], got {given}"
        if self.numbers and not real:
            return f"inputs of real numbers, got {given}"
        if self.labels and not are_labels(targets, len(inputs), num_outputs):
            shown = f"{str(targets.dtype).removeprefix('torch.')} {list(targets.shape)}"
            return f"labels below {num_outputs} as targets, whole numbers [B], got {shown}"
        return None

    def refusal_of_text(self, net: nn.Module) -> str | None:
        """Returns why it does not work on a net that carries a state through a text, None where it does."""
        if not self.recurrent:
            return f"says nothing of recurrent nets; take {ON_TEXT}, or train with --fidelity lm-fast"
        if self.numbers and not (self.embedded and has_embedding(net)):
            return f"needs nets with {' and '.join(OF_EMBEDDING)}, which those of darts-rnn have"
        return None

    def fits(self, net: nn.Module) -> bool:
        """Returns whether a net has a module of the kinds that are needed."""
        return not self.modules or any(isinstance(module, self.modules) for module in net.modules())


NOTHING = Needs()

ON_TEXT = "grad_norm, jacob_cov, params, snip or synflow"
"""The proxies of this package that say something of recurrent nets."""


def needs(
    *,
    images: bool = False,
    numbers: bool = False,
    labels: bool = False,
    modules: tuple[type[nn.Module], ...] = (),
    words: str = "",
    embedded: bool = False,
    recurrent: bool = False,
    parts: bool = False,
) -> Callable[[Function], Function]:
    """Notes at a proxy what it needs (`Needs`)."""

    def note(proxy: Function) -> Function:
        said = Needs(images, numbers, labels, modules, words, embedded, recurrent, parts)
        proxy.needs = said  # type: ignore[attr-defined]
        return proxy

    return note


def needs_of(proxy: object) -> Needs:
    """Returns what a proxy says that it needs; nothing where it says nothing."""
    said = getattr(proxy, "needs", NOTHING)
    return said if isinstance(said, Needs) else NOTHING


def are_labels(targets: Tensor, count: int, num_outputs: int) -> bool:
    """Returns whether targets are the numbers of outputs, one for each of `count` examples."""
    if targets.shape != (count,) or targets.is_floating_point() or targets.is_complex():
        return False
    return count == 0 or (int(targets.min()) >= 0 and int(targets.max()) < num_outputs)


def check_needs(
    proxies: Mapping[str, object],
    inputs: Tensor,
    targets: Tensor,
    num_outputs: int,
    nets: Iterable[nn.Module] = (),
) -> None:
    """Checks that proxies can work on a minibatch and on one of some nets.

    Args:
        proxies: by column.
        inputs: of the minibatch.
        targets: of the minibatch.
        num_outputs: of the nets.
        nets: of the space; they are made until each proxy has met one that suits it.

    Raises:
        UsageError: one cannot.
    """
    wanted = {name: needs_of(proxy) for name, proxy in proxies.items()}
    nets = iter(nets)
    first = None if inputs.is_floating_point() else next(nets, None)
    if first is not None and carries_state(first):
        for name, need in wanted.items():
            if refusal := need.refusal_of_text(first):
                raise UsageError(f"The proxy {name!r} {refusal}.")
        return
    nets = nets if first is None else itertools.chain([first], nets)
    for name, need in wanted.items():
        if missing := need.missing(inputs, targets, num_outputs):
            raise UsageError(f"The proxy {name!r} needs {missing}; leave it out for this task.")
    left = {name: need for name, need in wanted.items() if need.modules}
    seen = 0
    for net in nets if left else ():
        seen += 1
        left = {name: need for name, need in left.items() if not need.fits(net)}
        if not left:
            return
    for name, need in left.items() if seen else ():
        raise UsageError(
            f"The proxy {name!r} needs nets with {need.words}, but none of {seen} archs of the space has "
            "any; leave it out for this space."
        )
