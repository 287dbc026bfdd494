"""What the nets of every search space must do."""

from __future__ import annotations

from typing import Protocol, cast

import torch
from torch import Tensor, nn

from nas_ray.drivers.by_value import travelled
from nas_ray.errors import describe
from nas_ray.process.global_state import KeptState
from nas_ray.process.seeded import seeded
from nas_ray.proxies.flops import flops
from nas_ray.proxies.params import params
from nas_ray.spaces.base import CostClassSpace, CostSpace, ImageSizedSpace, Neighborhood, SearchSpace
from nas_ray.spaces.product import Product, product_of
from nas_ray.spaces.settings import arch_of, point_of, settings_of
from nas_ray.testing.archs import far_archs, neighbors_of, samples
from nas_ray.testing.given import must, must_equal, must_leave
from nas_ray.training.task import Batch

SETTINGS = "lr=log:0.01..1,batch_size=32/64"
CLASSES = 7


class Learned(Protocol):
    """What nets learn, such as a `Task`: what they take, and how many outputs they have."""

    num_outputs: int

    def minibatch(self) -> Batch:
        """Returns inputs and targets, each `[B, ...]`."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns one number of the outputs of a net."""


class Images:
    """Two images of 32 pixels, and seven classes."""

    num_outputs = CLASSES

    def minibatch(self) -> Batch:
        """Returns images `[2, 3, 32, 32]` and labels `[2]`."""
        return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.arange(2)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Returns the cross-entropy."""
        return nn.functional.cross_entropy(outputs, targets)


IMAGES = Images()


def built(space: SearchSpace, arch: str, task: Learned, seed: int = 0) -> nn.Module:
    """Returns the net of `arch` from a seed, whose lazy layers have met the data."""
    with seeded(seed):
        try:
            net = space.build(arch, task.num_outputs)
        except Exception as error:
            must(False, f"build({arch!r}, {task.num_outputs}) must return a net", describe(error))
        must(
            isinstance(net, nn.Module), f"build({arch!r}, {task.num_outputs}) must return a torch Module", net
        )
    with seeded(seed):  # in the state of before, whatever building left
        outputs_of(net, arch, task)
    return net


def outputs_of(net: nn.Module, arch: str, task: Learned) -> Tensor:
    """Returns the outputs of a net for the minibatch, known to be a tensor with one for each example."""
    inputs, _ = task.minibatch()
    said = f"The net of {arch!r} must take inputs {list(inputs.shape)} of {inputs.dtype}"
    try:
        with torch.no_grad():
            outputs = net(inputs)
    except Exception as error:
        must(False, said, describe(error))
    must(isinstance(outputs, Tensor), f"The net of {arch!r} must return one tensor", outputs)
    must(
        len(outputs) == len(inputs),
        f"The net of {arch!r} must have outputs [{len(inputs)}, ...]",
        outputs.shape,
    )
    made: Tensor = outputs
    return made


def tensors(net: nn.Module) -> dict[str, Tensor]:
    """Returns weights and buffers of a net by name."""
    return {**dict(net.named_parameters()), **dict(net.named_buffers())}


class NetsContract:
    """The tests of the nets of the fixture `space`, which learn the fixture `task`."""

    def test_a_built_net_fits_the_task(self, space: SearchSpace, task: Learned) -> None:
        """Inputs `[B, ...]` become what the loss takes; of images, `[B, classes]`."""
        (arch,) = samples(space, 1)
        outputs, targets = outputs_of(built(space, arch, task), arch, task), task.minibatch()[1]
        if isinstance(task, Images):
            wanted = (len(targets), task.num_outputs)
            must(
                outputs.shape == wanted,
                f"The net of {arch!r} must have outputs {list(wanted)}",
                outputs.shape,
            )
        try:
            loss = task.loss(outputs, targets)
        except Exception as error:
            must(False, f"The outputs of the net of {arch!r} must be such as the loss takes", describe(error))
        must(loss.isfinite(), f"The loss of the net of {arch!r} must be finite", loss)

    def test_every_arch_can_be_built(self, space: SearchSpace, task: Learned) -> None:
        """Samples, neighbours, and archs with every option of every decision."""
        archs = [*samples(space, 12), *far_archs(space)]
        if isinstance(space, Neighborhood):
            archs += neighbors_of(space, archs[0])[:3]
        for arch in {arch_of(arch): arch for arch in archs}.values():  # settings have no nets
            built(space, arch, task)

    def test_equal_seeds_give_equal_nets_and_others_do_not(self, space: SearchSpace, task: Learned) -> None:
        """A score depends on the arch and the seed of the initialisation alone."""
        (arch,) = samples(space, 1)
        one, same, other = (tensors(built(space, arch, task, seed)) for seed in (0, 0, 1))
        wrong = [name for name in one if not torch.equal(one[name], same[name])]
        must(
            not wrong, "Equal seeds of torch must give equal nets: take weights from torch's generator", wrong
        )
        drawn = [
            name for name, value in one.items() if value.numel() > 1 and value.flatten()[0] != value.max()
        ]
        fixed = all(torch.equal(one[name], other[name]) for name in drawn)
        must(not drawn or not fixed, "Other seeds of torch must give other weights, and build gave the same")

    def test_every_net_is_a_new_one(self, space: SearchSpace, task: Learned) -> None:
        """What trains or scores a net changes its weights."""
        first, second = samples(space, 2)
        nets = [built(space, arch, task) for arch in (first, first, second)]
        must(
            nets[0] is not nets[1],
            f"build({first!r}, ...) must return a new net at every call, not one it keeps",
        )
        for other in nets[1:]:
            known = {id(value): name for name, value in tensors(nets[0]).items()}
            shared = [known[id(value)] for value in tensors(other).values() if id(value) in known]
            must(not shared, "The nets of two calls of build must share no weights and buffers", shared)

    def test_building_leaves_what_others_use(self, space: SearchSpace, task: Learned) -> None:
        """Default dtype and device, threads, hooks and the like; torch's generator is there to draw from."""
        for arch in samples(space, 2):
            built(space, arch, task)  # what a first net imports is no change of settings
            with torch.random.fork_rng():
                with KeptState(random=False) as kept:
                    net = space.build(arch, task.num_outputs)
                must_leave(kept, "build")
                with KeptState(random=False) as kept:
                    outputs_of(net, arch, task)
                must_leave(kept, f"The net of {arch!r}")

    def test_settings_can_stand_beside_its_archs(self, space: SearchSpace, task: Learned) -> None:
        """No arch ends as settings do, and a point has the net of its arch, and its neighbours."""
        if product_of(space) is not None:
            return
        product = cast(SearchSpace, Product(space, SETTINGS))
        taken = next((arch for arch in samples(space, 20) if arch_of(arch) != arch), None)
        must(taken is None, "An arch must not end as settings do, such as @lr=0.1", taken)
        for point in samples(product, 3):
            arch, values = arch_of(point), settings_of(point)
            must_equal(list(values), ["lr", "batch_size"], f"The point {point!r} must have its settings")
            if isinstance(product, Neighborhood) and isinstance(space, Neighborhood):
                near, beside = neighbors_of(space, arch), neighbors_of(product, point)
                wanted = [point_of(other, values) for other in near]
                must_equal(
                    beside[: len(near)], wanted, "Neighbours of a point must be those of its arch first"
                )
                outside = {arch_of(other) for other in beside} - {arch, *near}
                must(not outside, "Neighbours of a point must have archs near its own", sorted(outside))
        built(travelled(product), point, task)

    def test_nets_fit_images_of_other_sizes(self, space: SearchSpace, task: Learned) -> None:
        """Images `[2, 3, 96, 96]` become `[2, 7]` by a net of the same arch."""
        if isinstance(space, ImageSizedSpace) and isinstance(task, Images):
            large = space.for_image_size(96)
            must_equal(samples(large, 20), samples(space, 20), "for_image_size must keep the archs")
            (arch,) = samples(space, 1)
            found = large.build(arch, CLASSES)(torch.randn(2, 3, 96, 96)).shape
            must(found == (2, CLASSES), f"The net of {arch!r} for 96 pixels must have outputs [2, 7]", found)

    def test_costs_are_those_of_the_net(self, space: SearchSpace, task: Learned) -> None:
        """A formula counts what the proxies `params` and `flops` count, and a class has one cost."""
        known: dict[object, tuple[float, float]] = {}
        asked = isinstance(space, (CostSpace, CostClassSpace)) and isinstance(task, Images)
        for arch in samples(space, 5) if asked else ():
            counted = _counted(space, arch)
            if (
                isinstance(space, CostSpace)
                and (formula := space.cost(arch, CLASSES, (3, 32, 32))) is not None
            ):
                said = tuple(map(float, formula))
                must_equal(
                    said, counted, f"cost({arch!r}, ...) must be what params and flops count of the net"
                )
            if isinstance(space, CostClassSpace):
                first = known.setdefault(space.cost_class(arch), counted)
                must_equal(counted, first, f"The archs of the cost class of {arch!r} must cost the same")


def _counted(space: SearchSpace, arch: str) -> tuple[float, float]:
    """Returns parameters and multiply-adds of the net, counted and not by formula."""
    with torch.random.fork_rng():
        net = space.build(arch, CLASSES)
    images, targets = torch.zeros(1, 3, 32, 32), torch.zeros(1, dtype=torch.int64)
    multiply_adds = flops(net, images, targets)  # first: its pass gives lazy layers their shapes
    return params(net, images, targets), multiply_adds
