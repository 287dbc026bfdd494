"""A trained net with all that is needed to use it, and the file that holds it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nas_ray.errors import UsageError, describe
from nas_ray.errors.checks import PATH
from nas_ray.runs.folder import write_atomically
from nas_ray.safe_files.torch_files import load_plain
from nas_ray.spaces import SearchSpace
from nas_ray.spaces.base import SPACE, fitted_space
from nas_ray.spaces.named import known_space

FORMAT = 1


@dataclass(frozen=True)
class NetFacts:
    """What a trained net is.

    Attributes:
        arch: canonical string.
        space: name of the space that builds it.
        num_classes: outputs.
        image_size: height and width in pixels of its images.
        classes: names of the outputs.
        mean: per channel, subtracted from pixels in 0..1.
        std: per channel, divides them.
    """

    arch: str
    space: str
    num_classes: int
    image_size: int
    classes: tuple[str, ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class TrainedNet(nn.Module):
    """A net that takes plain images; `[B, 3, S, S]` float32 in 0..1 `-> [B, num_classes]` logits.

    Args:
        net: takes standardised images.
        facts: what it is; its mean and std standardise.
    """

    def __init__(self, net: nn.Module, facts: NetFacts) -> None:
        super().__init__()
        self.net = net
        self.facts = facts
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(facts.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(facts.std).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Returns `[B, num_classes]` logits."""
        logits: Tensor = self.net((images - self.mean) / self.std)
        return logits

    def save(self, path: Path) -> None:
        """Writes weights and facts, as tensors and plain values."""
        state = {name: value.contiguous().cpu() for name, value in self.net.state_dict().items()}
        content = {"format": FORMAT, **asdict(self.facts), "state": state}
        write_atomically(path, lambda temporary: torch.save(content, temporary))


def load(path: str | Path, space: SearchSpace | None = None) -> TrainedNet:
    """Returns the net of a `model.pt`, ready to use on the CPU; nothing in the file is run as code.

    Args:
        path: what `nas-ray train` wrote.
        space: builds the net; needed where it is none of this package.

    Raises:
        UsageError: no such file, another kind of file, or a space that is not known here.
    """
    PATH.check("path", path)
    SPACE.or_none.check("space", space)
    content = _read(Path(path))
    named = known_space(content.get("space")) if space is None else None
    space = named if space is None else space
    if space is None:
        raise UsageError(
            f"{path} holds a net of the space {content.get('space')!r}, which is none of nas_ray; pass the "
            "space itself, as in nas_ray.load(path, space=MySpace())."
        )
    try:
        facts, state = _facts(content), content["state"]
        if named is not None:
            _check_size(fitted_space(named, facts.image_size), facts, state)
        with torch.random.fork_rng(devices=[]):
            net = fitted_space(space, facts.image_size).build(facts.arch, facts.num_classes)
        net.load_state_dict(state)
    except Exception as error:  # what a file says may be anything
        why = str(error).rstrip(".") if isinstance(error, UsageError) else describe(error)
        raise UsageError(
            f"{path} must hold a net that nas-ray train wrote, but what it says does not fit "
            f"together: {why}; take another file."
        ) from error
    return TrainedNet(net, facts).eval()


def _facts(content: dict[str, Any]) -> NetFacts:
    """Returns what a file says of its net.

    Raises:
        ValueError: more outputs than the file has weights for.
    """
    plain = {name: content[name] for name in NetFacts.__dataclass_fields__}
    facts = NetFacts(**plain | {name: tuple(plain[name]) for name in ("classes", "mean", "std")})
    if facts.num_classes != len(facts.classes):  # before memory is taken for them
        raise ValueError(f"{facts.num_classes} outputs, but names of {len(facts.classes)} classes")
    return facts


def _check_size(space: SearchSpace, facts: NetFacts, state: dict[str, Tensor]) -> None:
    """Checks, before memory is taken for a net, that a file has as many weights.

    Raises:
        ValueError: it has not.
    """
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        wanted = sum(
            value.numel() for value in space.build(facts.arch, facts.num_classes).state_dict().values()
        )
    there = sum(value.numel() for value in state.values())
    if there != wanted:
        raise ValueError(f"{there:,} numbers for a net of {wanted:,}")


def _read(path: Path) -> dict[str, Any]:
    try:
        content = load_plain(path)
        number = content["format"]
    except (KeyError, TypeError, ValueError) as error:
        why = str(error) if type(error) is ValueError else "it names no format"
        raise UsageError(
            f"A net is loaded from the model.pt that nas-ray train wrote, but {path} cannot be read "
            f"({why}); take another file."
        ) from error
    if number != FORMAT:
        raise UsageError(f"{path} has format {number}; this version of nas_ray reads format {FORMAT}.")
    return dict(content)
