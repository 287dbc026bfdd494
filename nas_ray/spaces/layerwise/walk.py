"""The decisions of an arch, layer by layer: what may come next, and what has been decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from nas_ray.errors import UsageError
from nas_ray.spaces.base import END
from nas_ray.spaces.layerwise.layers import Layer, Layers

if TYPE_CHECKING:
    import numpy as np

CONVOLUTION: Final = "conv"
"""The kind of a layer that is no pooling."""

ALONE, READ = "no", "yes"
"""Whether an earlier layer is read."""


@dataclass(frozen=True)
class Choices:
    """What a layer may be.

    Attributes:
        heights, widths, filters, strides: of convolutions; one stride alone is no decision.
        pools: pooling layers that a layer may be instead.
        pool_at: numbers of the layers that are pooling layers; where there are any, no other layer is one.
        skips: whether each earlier layer may be read; otherwise a layer reads the one before it.
        repeat: convolutions in a layer.
        least, most: layers of an arch.
    """

    heights: tuple[int, ...]
    widths: tuple[int, ...]
    filters: tuple[int, ...]
    strides: tuple[int, ...]
    pools: tuple[str, ...]
    pool_at: tuple[int, ...]
    skips: bool
    repeat: int
    least: int
    most: int

    def __str__(self) -> str:
        """Returns all of it as options."""
        return ", ".join(f"{name}={_text(value)}" for name, value in vars(self).items())

    def kinds(self, number: int) -> tuple[str, ...]:
        """Returns the kinds of layer `number`; none where that is no decision."""
        if self.pool_at:
            return self.pools if number in self.pool_at else (CONVOLUTION,)
        return (CONVOLUTION, *self.pools) if self.pools else ()

    def sizes(self) -> tuple[tuple[str, ...], ...]:
        """Returns the options of the decisions on a convolution."""
        strides = (self.strides,) * 2 if len(self.strides) > 1 else ()
        options = (self.heights, self.widths, *strides, self.filters)
        letters = ("h", "w", *(("sh", "sw") if strides else ()), "n")
        return tuple(
            tuple(f"{letter}{value}" for value in values)
            for letter, values in zip(letters, options, strict=True)
        )


class Place(NamedTuple):
    """Where in a sequence one is.

    Attributes:
        done: layers whose decisions are all made.
        own: the decisions on the next layer, so far.
        anchors: for each layer whose own decisions are made, the place behind these.
    """

    done: int = 0
    own: tuple[str, ...] = ()
    anchors: tuple[int, ...] = ()


@dataclass
class Walk:
    """Goes through sequences of decisions.

    Attributes:
        choices: what layers may be.
    """

    choices: Choices
    _last: tuple[tuple[str, ...], Place] = field(default=((), Place()), repr=False)
    _slots: dict[tuple[int, str], tuple[tuple[str, ...], ...]] = field(default_factory=dict, repr=False)

    def options(self, prefix: tuple[str, ...]) -> tuple[str, ...]:
        """Returns what may follow, with `END` where the sequence may end."""
        place, choices = self.place(prefix), self.choices
        if place.own:
            return self._all_slots(place)[len(place.own)]
        if place.done == choices.most:
            return (END,)
        following = self._all_slots(place)[0]
        return (*following, END) if place.done >= choices.least else following

    def anchor(self, prefix: tuple[str, ...]) -> tuple[int, int] | None:
        """Returns the anchor points of the earlier and the own layer, if the decision is one on reading."""
        place = self.place(prefix)
        if len(place.anchors) == place.done:
            return None
        earlier = len(place.own) - len(self._all_slots(place)) + self._reading(place)
        return place.anchors[earlier], place.anchors[-1]

    def layers(self, decisions: Sequence[str]) -> Layers:
        """Returns the layers of these decisions.

        Raises:
            UsageError: one is no option, or the sequence cannot end here.
        """
        place, made = Place(), []
        for at, decision in enumerate(decisions):
            slots = self._all_slots(place)
            if place.done == self.choices.most or decision not in slots[len(place.own)]:
                raise self._refusal(decisions[:at], decision)
            following = self._step(place, decision, at)
            if not following.own:
                made.append(self._layer(place.done + 1, (*place.own, decision)))
            place = following
        if place.own or place.done < self.choices.least:
            raise self._refusal(decisions, END)
        return tuple(made)

    def decisions(self, layers: Layers) -> tuple[str, ...] | None:
        """Returns the decisions that make these layers; None if none do."""
        if not self.choices.least <= len(layers) <= self.choices.most:
            return None  # at once, since decisions are many
        made: list[str] = []
        for number, layer in enumerate(layers, 1):
            if self.choices.kinds(number):
                made.append(layer.pool or CONVOLUTION)
            if not layer.pool:
                made += [f"h{layer.height}", f"w{layer.width}"]
                made += [f"sh{layer.down}", f"sw{layer.across}"] if len(self.choices.strides) > 1 else []
                made.append(f"n{layer.filters}")
            if self.choices.skips:
                made += [READ if source in layer.sources else ALONE for source in range(1, number)]
        try:
            return tuple(made) if self.layers(made) == layers else None
        except UsageError:
            return None

    def draw(self, rng: np.random.Generator, layers: int) -> Layers:
        """Returns so many layers, each decision drawn uniformly."""
        place, made = Place(), list[str]()
        while place.done < layers:
            slot = self._all_slots(place)[len(place.own)]
            made.append(slot[int(rng.integers(len(slot)))])
            place = self._step(place, made[-1], len(made) - 1)
        return self.layers(made)

    def place(self, prefix: tuple[str, ...]) -> Place:
        """Returns where one is after these decisions."""
        last, place = self._last
        if prefix[:-1] == last and prefix:  # as when a sequence is made decision by decision
            place = self._step(place, prefix[-1], len(last))
        elif prefix != last:
            place = Place()
            for at, decision in enumerate(prefix):
                place = self._step(place, decision, at)
        self._last = prefix, place
        return place

    def _step(self, place: Place, decision: str, at: int) -> Place:
        """Returns where one is after the decision at place `at` of the sequence."""
        own, anchors = (*place.own, decision), place.anchors
        slots = self._all_slots(Place(place.done, own))
        if len(own) == len(slots) - self._reading(place):
            anchors = (*anchors, at + 1)
        whole = len(own) == len(slots)
        return Place(place.done + 1, (), anchors) if whole else Place(place.done, own, anchors)

    def _all_slots(self, place: Place) -> tuple[tuple[str, ...], ...]:
        """Returns the options of all decisions on the layer that is decided, reading included."""
        number = place.done + 1
        kinds = self.choices.kinds(number)
        kind = place.own[0] if kinds and place.own else CONVOLUTION
        slots = self._slots.get((number, kind))
        if slots is None:
            sizes = self.choices.sizes() if kind == CONVOLUTION else ()
            reading = ((ALONE, READ),) * (number - 1) if self.choices.skips else ()
            slots = (*((kinds,) if kinds else ()), *sizes, *reading)
            self._slots[number, kind] = slots
        return slots

    def _reading(self, place: Place) -> int:
        """Returns how many decisions there are on what the layer reads that is decided."""
        return place.done if self.choices.skips else 0

    def _layer(self, number: int, own: tuple[str, ...]) -> Layer:
        """Returns the layer of all its decisions."""
        sources: tuple[int, ...] = (number - 1,)
        if self.choices.skips:
            reading = own[len(own) - (number - 1) :]
            sources = tuple(n for n, read in enumerate(reading, 1) if read == READ) or (0,)
        if self.choices.kinds(number):
            if own[0] != CONVOLUTION:
                return Layer(sources, pool=own[0])
            own = own[1:]
        numbers = [int(text.lstrip("hswn")) for text in own[: len(self.choices.sizes())]]
        down, across = numbers[2:4] if len(numbers) == 5 else self.choices.strides * 2
        height, width, filters = numbers[0], numbers[1], numbers[len(numbers) - 1]
        return Layer(sources, height, width, filters, down, across, self.choices.repeat)

    def _refusal(self, before: Sequence[str], wrong: str) -> UsageError:
        shown, possible = " ".join(before[-5:]), self.options(tuple(before))
        return UsageError(
            f"The decision after {shown or 'nothing'!r} must be one of {', '.join(possible)}, got {wrong!r}; "
            f"a sequence has {self.choices.least} to {self.choices.most} layers."
        )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return READ if value else ALONE
    return "+".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)
