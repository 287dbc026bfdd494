"""A trained net with all that is needed to use it, and the file that holds it."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nas_ray.errors import UsageError, describe
from nas_ray.errors.checks import PATH, instance, whole
from nas_ray.images.given import laid_out, seen, white_of, white_unseen
from nas_ray.images.offered import Offered
from nas_ray.runs.folder import write_atomically
from nas_ray.safe_files.torch_files import load_plain
from nas_ray.spaces import SearchSpace
from nas_ray.spaces.base import SPACE, fitted_space
from nas_ray.spaces.named import known_space
from nas_ray.training.trained_text import KIND, TrainedText, text_facts

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
MODEL = "model.pt"
"""The file of a training's folder that holds its net."""
_TENSOR = instance(Tensor, "a tensor", "net.predict takes files, pictures and arrays")


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

    Other images are converted where that is certain and refused otherwise (docs/trained_net.md).

    Args:
        net: takes standardised images.
        facts: what it is; its mean and std standardise.
    """

    _looked = False

    def __init__(self, net: nn.Module, facts: NetFacts) -> None:
        super().__init__()
        self.net = net
        self.facts = facts
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(facts.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(facts.std).view(3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Returns `[B, num_classes]` logits.

        Of pixels that may be anything they are NaN where it is not looked: in a compiled or exported net, and
        on a GPU from the second batch of a training on, as it is not waited for.

        Raises:
            UsageError: images that can be taken for several things, or for none.
        """
        logits: Tensor = self.net((self.plain(images) - self.mean) / self.std)
        return logits

    def plain(self, images: Tensor) -> Tensor:
        """Returns `[B, 3, S, S]` in 0..1 of whatever images `forward` takes.

        Raises:
            UsageError: images that can be taken for several things, or for none.
        """
        _TENSOR.check("images", images)
        size = self.facts.image_size
        return seen(laid_out(images, size), self._white(images), size, self.mean.dtype)

    def predict(self, images: Any, *, batch_size: int = 64, skip_unreadable: bool = False) -> pd.DataFrame:
        """Returns the class of each image, as in `nas_ray.load("model.pt").predict("photo.jpg")`.

        The net stays as it is, in training or not, and where it is.

        Args:
            images: paths of files and folders, pictures of Pillow, arrays and tensors of one or several
                images, or a list of these. Of a folder all image files in it and below count.
            batch_size: images that are decoded and computed at once.
            skip_unreadable: leave files that cannot be decoded out, and list them in `attrs["skipped"]`.

        Returns:
            A row for each: `image`, its file or its number, `label`, the name of its class, and `confidence`,
            the probability of that class by the net, which may be surer than it is right.

        Raises:
            UsageError: no images, or some that cannot be read, or that can be taken for several things.
        """
        from nas_ray.training.prediction import predict  # pandas takes half a second

        whole(1).check("batch_size", batch_size)
        offered = Offered(images, self.facts.image_size, skip_unreadable)
        return predict(self, offered, self.facts.classes, self.mean.device, batch_size)

    def _white(self, images: Tensor) -> float | Tensor:
        """Returns the number that is white, without waiting for a GPU that trains."""
        traced = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        if not torch.compiler.is_compiling() and not traced and self._may_wait(images):
            with contextlib.suppress(RuntimeError):  # inside of a transformation that has no numbers
                white = white_of(images)
                self._looked = True
                return white
        return white_unseen(images)

    def _may_wait(self, images: Tensor) -> bool:
        return images.is_cpu or not (images.is_meta or (torch.is_grad_enabled() and self._looked))

    def save(self, path: Path) -> None:
        """Writes weights and facts, as tensors and plain values."""
        state = {name: value.contiguous().cpu() for name, value in self.net.state_dict().items()}
        content = {"format": FORMAT, **asdict(self.facts), "state": state}
        write_atomically(path, lambda temporary: torch.save(content, temporary))


def load(path: str | Path, space: SearchSpace | None = None) -> TrainedNet | TrainedText:
    """Returns the net of a `model.pt`, ready to use on the CPU; nothing in the file is run as code.

    It is a `TrainedText`, where it was trained on a text.

    Args:
        path: what `nas-ray train` wrote, the file or its folder.
        space: builds the net; needed where it is none of this package.

    Raises:
        UsageError: no such file, another kind of file, or a space that is not known here.
    """
    PATH.check("path", path)
    SPACE.or_none.check("space", space)
    path = Path(path).expanduser()
    path = path / MODEL if path.is_dir() else path
    content = _read(path)
    named = _named(content, path) if space is None else None
    space = named if space is None else space
    if space is None:
        raise UsageError(
            f"{path} holds a net of the space {content.get('space')!r}, which is none of nas_ray; pass the "
            "space itself, as in nas_ray.load(path, space=MySpace())."
        )
    try:
        if content.get("kind") == KIND:
            said = text_facts(content)
            made = _built(space, said.arch, len(said.words), content["state"], check=named is not None)
            return TrainedText(made, said).eval()
        facts, state = _facts(content), content["state"]
        fitted = fitted_space(space, facts.image_size)
        net = _built(fitted, facts.arch, facts.num_classes, state, check=named is not None)
    except Exception as error:  # what a file says may be anything
        why = str(error).rstrip(".") if isinstance(error, UsageError) else describe(error)
        raise UsageError(
            f"{path} must hold a net that nas-ray train wrote, but what it says does not fit "
            f"together: {why}; take another file."
        ) from error
    return TrainedNet(net, facts).eval()


def _named(content: dict[str, Any], path: Path) -> SearchSpace | None:
    """Returns the space of this package that a file names, None where it names another.

    Raises:
        UsageError: it names one with options that cannot be.
    """
    try:
        return known_space(content.get("space"))
    except UsageError as error:
        raise UsageError(f"{path} must hold a net of a space that can be: {error}") from error


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


def _built(
    space: SearchSpace, arch: str, outputs: int, state: dict[str, Tensor], *, check: bool
) -> nn.Module:
    """Returns the net of a file; one of a known space is looked at before memory is taken for it.

    Raises:
        ValueError: the file has another number of weights.
    """
    if check:
        _check_size(space, arch, outputs, state)
    with torch.random.fork_rng(devices=[]):
        net = space.build(arch, outputs)
    net.load_state_dict(state)
    return net


def _check_size(space: SearchSpace, arch: str, outputs: int, state: dict[str, Tensor]) -> None:
    """Checks, before memory is taken for a net, that a file has as many weights.

    Raises:
        ValueError: it has not.
    """
    with torch.device("meta"), torch.random.fork_rng(devices=[]):
        wanted = sum(value.numel() for value in space.build(arch, outputs).state_dict().values())
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
