"""One set of weights for every operation at every position of a cell space."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nas_ray.errors import UsageError
from nas_ray.shared_weights.arch_view import ArchView
from nas_ray.shared_weights.batch_run import BatchRun, initial_norm
from nas_ray.shared_weights.mixture import Arch, Mixture, mixture_of, with_mixed_edges
from nas_ray.spaces.nats_tss import EDGES, NatsTss, to_arch, to_ops
from nas_ray.spaces.ops import ResidualReduction, conv_block
from nas_ray.spaces.stems import SMALL, STRIDED_ABOVE, make_stem

CONVOLUTIONS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}
"""Operations with weights, and their kernel sizes."""

BATCH, INITIAL = "batch", "initial"
"""What BN divides by: the statistics of the batch, or those that it knows before any training, 0 and 1."""


def check_supernet(space: NatsTss) -> None:
    """Checks that there is a supernet of `space`.

    Raises:
        UsageError: the space has another than the published stem.
    """
    if space.stem != SMALL:
        raise UsageError(
            f"A supernet needs images of at most {STRIDED_ABOVE} pixels, since it has no {space.stem} stem; "
            "choose a smaller image size, or score archs one by one."
        )


class SuperCell(nn.Module):
    """The weights of every operation on every edge of one cell of width `channels`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.edges = nn.ModuleList(
            nn.ModuleDict({op: conv_block(channels, channels, k) for op, k in CONVOLUTIONS.items()})
            for _ in EDGES
        )


class InitialNorm(nn.Module):
    """BN in evaluation mode before any training; `[B, C, H, W] -> [B, C, H, W]`."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns `x` as a variance of 1 scales it."""
        return initial_norm(x)


class Supernet(nn.Module):
    """All archs of NATS-TSS in one net: the published skeleton with every operation on every edge.

    BN has no parameters and no running statistics: in a new net its scale is 1 and its shift 0, and here it
    is in batch mode. Weights are in channels-last order, drawn from torch's global random state.

    Args:
        space: whose cells these are.
        num_classes: outputs.
        statistics: `BATCH`, or `INITIAL` for what a new net computes in evaluation mode.

    Raises:
        UsageError: the space has another than the published stem.
    """

    def __init__(self, space: NatsTss, num_classes: int, statistics: str = BATCH) -> None:
        super().__init__()
        check_supernet(space)
        self.statistics = statistics
        self.space = space
        self.num_classes = num_classes
        widths = (space.channels, 2 * space.channels, 4 * space.channels)
        self.stem = make_stem(SMALL, widths[0])
        body: list[nn.Module] = []
        for stage, width in enumerate(widths):
            if stage:
                body.append(ResidualReduction(widths[stage - 1], width))
            body += [SuperCell(width) for _ in range(space.cells)]
        self.body = nn.ModuleList(body)
        self.head = nn.Sequential(
            nn.BatchNorm2d(widths[-1]), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.classifier = nn.Linear(widths[-1], num_classes)
        for module in self.modules():
            for name, child in module.named_children():
                if isinstance(child, nn.BatchNorm2d):
                    of_batch = nn.BatchNorm2d(child.num_features, affine=False, track_running_stats=False)
                    setattr(module, name, of_batch if statistics == BATCH else InitialNorm())
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor, archs: Sequence[Arch]) -> Tensor:
        """Returns the outputs `[A, B, classes]` of A archs for the images `x [B, 3, H, W]`, as one batch.

        An arch may have several operations on an edge. Every arch sees every image; BN normalises over the
        images of one arch.
        """
        return self.run(BatchRun([mixture_of(arch) for arch in archs], x.device, self.initial), x)

    def run(self, run: BatchRun, x: Tensor) -> Tensor:
        """Returns the outputs `[A, B, classes]` of the archs of `run` for the images `x [B, 3, H, W]`."""
        images = x.permute(0, 2, 3, 1)[None]
        if not run.shares_stem:
            images = images.expand(run.size, -1, -1, -1, -1)
        stem = run.norm(run.convolution(self.stem[0], images))
        maps = stem.expand(run.size, -1, -1, -1, -1)
        for block in self.body:
            maps = run.block(block, maps)
        pooled = run.norm(maps).relu().mean((2, 3))
        logits: Tensor = self.classifier(pooled)
        return logits

    @property
    def initial(self) -> bool:
        """Whether BN is that of evaluation mode before any training."""
        return self.statistics == INITIAL

    def extract(self, arch: Arch) -> nn.Module:
        """Returns the plain net of `arch` with a copy of these weights, as `space.build` would make it.

        That of a mixture has a module for each operation of an edge, and adds their outputs.

        Raises:
            UsageError: not an arch of the space.
        """
        with torch.random.fork_rng(devices=[]):
            net = self._built(arch).to(self.classifier.weight)
        own = dict(self.named_parameters())
        with torch.no_grad():
            for name, parameter in net.named_parameters():
                source = own.get(name if isinstance(arch, Mixture) else name_in_supernet(name, to_ops(arch)))
                if source is not None:  # BN's are 1 and 0 as built
                    parameter.copy_(source)
        return net

    def _built(self, arch: Arch) -> nn.Module:
        if not isinstance(arch, Mixture):
            return self.space.build(arch, self.num_classes)
        empty = self.space.build(to_arch(("none",) * len(EDGES)), self.num_classes)
        widths = [self.space.channels * 2**stage for stage in range(3) for _ in range(self.space.cells)]
        return with_mixed_edges(empty, arch, widths)

    def view(self, arch: Arch) -> ArchView:
        """Returns the net of `arch` on these very weights, without operations that have no effect.

        Raises:
            UsageError: not an arch of the space.
        """
        return ArchView(self.stem, self.body, self.head, self.classifier, mixture_of(arch))


def name_in_supernet(name: str, ops: tuple[str, ...]) -> str:
    """Returns where the supernet keeps the parameter `name` of the plain net of `ops`."""
    parts = name.split(".")
    if "edges" in parts:
        place = parts.index("edges") + 1
        parts.insert(place + 1, ops[int(parts[place])])
    return ".".join(parts)
