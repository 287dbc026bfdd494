"""The arguments that say which images nets are built for; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from nas_ray.images.datasets import AUTO, implied_dataset
from nas_ray.images.definition import absolute_path
from nas_ray.images.generated import parse_generated
from nas_ray.images.spec import GENERATED, WITH_PATH
from nas_ray.terminal.ranges import SEED, Range

if TYPE_CHECKING:
    from nas_ray.images.image_data import ImageDataModule


@dataclass(frozen=True)
class SourceArgs:
    """Which images."""

    images: str = "auto"
    """Images: auto (the dataset's own if on disk, else digits), cifar10, cifar100, ImageNet16-120, digits,
    npz:PATH, folder:PATH or generated:DEFINITION, such as generated:shapes,seed=3 (docs/images.md)."""


@dataclass(frozen=True)
class DataArgs(SourceArgs):
    """Which images, and which nets."""

    dataset: str = "cifar10"
    """Dataset that the nets are built for: cifar10, cifar100 or ImageNet16-120."""


@dataclass(frozen=True)
class ImageArgs(DataArgs):
    """Which images, those of your own with all that can be said of them, and which nets they ask for."""

    dataset: str = AUTO
    """What nets are built for, classes and image size: cifar10, cifar100 or ImageNet16-120, which benchmarks
    know; own for the classes and the size of your own images. auto is own for folder:PATH and generated
    images, else cifar10."""
    image_size: Annotated[int | None, Range(8, 2_048)] = None
    """Height and width in pixels that own images are resized to; None takes them from the images, at most
    224."""
    split_seed: Annotated[int, SEED] = 0
    """Seed that holds out one image in five of each class for testing, where a folder has no test part."""
    skip_unreadable: bool = False
    """Leave out the files of a folder that cannot be decoded, and list them; otherwise they are an error."""
    download: bool = False
    """Allow torchvision to download CIFAR; nothing is downloaded otherwise."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "dataset", implied_dataset(self.dataset, self.images))


def absolute_images(images: str) -> str:
    """Returns the source with an absolute path, so that it holds in any working directory."""
    kind, _, path = images.partition(":")
    if path and kind == GENERATED:
        definition = parse_generated(path)
        absolute = definition.absolute()
        return images if absolute == definition else f"{kind}:{absolute}"
    if not path or kind not in WITH_PATH:
        return images
    return f"{kind}:{absolute_path(path)}"


def open_image_args(args: DataArgs, *, batch_size: int, batch_seed: int) -> ImageDataModule:
    """Returns the images that `args` name.

    Args:
        args: of a command; what it does not say of images of one's own is the default.
        batch_size: images in the minibatch.
        batch_seed: draws the minibatch.

    Raises:
        UsageError: images that cannot be used.
    """
    from nas_ray.images.image_data import ImageDataModule  # torch and Lightning take seconds

    own: dict[str, Any] = {}
    if isinstance(args, ImageArgs):
        names = ("download", "image_size", "split_seed", "skip_unreadable")
        own = {name: getattr(args, name) for name in names}
    return ImageDataModule(
        args.images, dataset=args.dataset, batch_size=batch_size, batch_seed=batch_seed, **own
    )
