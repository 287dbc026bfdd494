"""What sentences cost, without building anything."""

from __future__ import annotations

from dataclasses import dataclass

from nas_ray.spaces.grammar.shapes import IMAGE, Shape, Step, steps_of
from nas_ray.spaces.grammar.terms import Chain, Leaf


@dataclass(frozen=True)
class Cost:
    """What a net or a part of it costs.

    Attributes:
        params: weights and biases.
        multiply_adds: of one image, as the proxy `flops` counts them.
        values: of all maps and tokens that one image is turned into.
    """

    params: int = 0
    multiply_adds: int = 0
    values: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.params + other.params,
            self.multiply_adds + other.multiply_adds,
            self.values + other.values,
        )


def cost_of(chain: Chain, size: int, num_classes: int = 0) -> Cost:
    """Returns the cost of a net for images of `size` pixels, without its classifier where it has no classes.

    Raises:
        UsageError: the parts of the chain do not fit.
    """
    steps = steps_of(chain)
    end = steps[-1].gives if steps else IMAGE
    head = num_classes * (end.width + 1)
    return sum((cost_of_step(step, size) for step in steps), Cost(head, head, num_classes))


def cost_of_step(step: Step, size: int) -> Cost:
    """Returns the cost of a layer, or of what branches give beside what they cost themselves."""
    places = step.gives.side(size) ** 2
    made = Cost(values=places * step.gives.width)
    return made + _of_leaf(step.term, step.takes, places) if isinstance(step.term, Leaf) else made


def _of_leaf(leaf: Leaf, takes: Shape, places: int) -> Cost:
    """Returns the cost of a layer that gives `places` places, without the values that it gives."""
    word, taken, number = leaf.word, takes.width, leaf.number
    if word == "conv":
        return _at_each(leaf.kernel**2 * taken * number, places)
    if word == "dw":
        return _at_each(leaf.kernel**2 * taken, places)
    if word in ("patch", "lin"):
        return _at_each((max(1, leaf.kernel) ** 2 * taken + 1) * number, places)
    if word in ("bn", "ln"):
        return Cost(2 * taken)
    if word == "pos":
        return Cost(places * taken)
    if word == "attn":  # queries, keys, values and what is read; scores before and behind softmax
        values = 4 * taken * places + 2 * number * places**2
        return _at_each(4 * taken * (taken + 1), places) + Cost(values=values)
    if word == "mix":
        return _at_each(number * (places + 1) + places * (number + 1), taken) + Cost(
            values=2 * number * taken
        )
    return Cost()


def _at_each(weights: int, times: int) -> Cost:
    """Returns the cost of weights that are used a number of times."""
    return Cost(weights, weights * times)
