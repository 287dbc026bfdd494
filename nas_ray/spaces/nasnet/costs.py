"""What nets of NASNet and PNAS cost, by formula: building one to count takes a second."""

from __future__ import annotations

from nas_ray.spaces.darts_costs import Cost, half
from nas_ray.spaces.nasnet.layout import Place, Stack
from nas_ray.spaces.nasnet.sets import KERNELS, SHARES, SIDES, narrowed
from nas_ray.spaces.stems import STRIDED

Size = tuple[int, int]


def count_cost(stack: Stack, num_classes: int, image: tuple[int, int, int]) -> tuple[int, int]:
    """Returns parameters and multiply-adds for one image `(C, H, W)` of a `BlockNet`."""
    cost, size = Cost(), (image[1], image[2])
    if stack.stem == STRIDED:
        size = (size[0] - 1) // 2, (size[1] - 1) // 2
    cost.add(9 * image[0] * stack.stem_channels, size, stack.stem_channels)
    places = stack.places()
    for place in places:
        size = _cell(cost, place, size)
    classifier = (places[-1].width + 1) * num_classes
    return cost.params + classifier, cost.multiply_adds + classifier


def _cell(cost: Cost, place: Place, size: Size) -> Size:
    """Adds a cell on maps of a size, and returns the size of its own."""
    f, after = place.channels, half(size) if place.reduction else size
    for width in place.widths[place.keeps_first :]:
        cost.add(width * f, size, f)
    for block in place.plan.nodes:
        for source, op in block:
            strided = place.stride(source) == 2
            _operation(cost, op, (place.states[source], f), size if strided else after, after, strided)
    for state in place.matched:
        cost.add(place.states[state] * f, after, f)
    return after


def _operation(
    cost: Cost, op: str, channels: tuple[int, int], before: Size, after: Size, strided: bool
) -> None:
    """Adds an operation on maps of the size `before` that gives maps of the size `after`."""
    c_in, c = channels
    if op in KERNELS:
        k = KERNELS[op] ** 2
        cost.add(k * c_in + c_in * c + k * c + c * c, after, 2 * c)
    elif op in SHARES:
        few = narrowed(op, c)
        if few:
            cost.add(c_in * few, before, few)
            cost.add(few * c, after, c)
        _convolution(cost, op, few or c_in, few or c, before, after)
    elif op == "conv_1x1" or c_in != c or (op == "skip_connect" and strided):
        cost.add(c_in * c, after, c)


def _convolution(cost: Cost, op: str, c_in: int, c: int, before: Size, after: Size) -> None:
    if op not in SIDES:
        cost.add(9 * c_in * c, after, c)
        return
    cost.add(SIDES[op] * c_in * c, (before[0], after[1]), c)
    cost.add(SIDES[op] * c * c, after, c)
