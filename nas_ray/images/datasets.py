"""The three datasets of NATS-Bench, and what is known of images of one's own: facts only, no images."""

from __future__ import annotations

from dataclasses import dataclass

from nas_ray.errors import UsageError, unknown_name

OWN = "own"
"""Images of one's own: classes and size are those of the images, and no benchmark knows an accuracy."""
AUTO = "auto"


@dataclass(frozen=True)
class DatasetInfo:
    """What a net must be built for.

    Attributes:
        name: published name, or `own`.
        num_classes: outputs of the classifier.
        image_size: height and width in pixels of the square RGB images.
    """

    name: str
    num_classes: int
    image_size: int


DATASETS: dict[str, DatasetInfo] = {
    "cifar10": DatasetInfo("cifar10", 10, 32),
    "cifar100": DatasetInfo("cifar100", 100, 32),
    "ImageNet16-120": DatasetInfo("ImageNet16-120", 120, 16),
}


def get_dataset(name: str) -> DatasetInfo:
    """Returns the facts of the published dataset `name`.

    Raises:
        UsageError: unknown name; the message has the nearest match.
    """
    if name == OWN:
        raise UsageError(
            f"The dataset here must be one of {', '.join(DATASETS)}, got {OWN!r}, of which no benchmark "
            "knows an accuracy; name one of them."
        )
    if name not in DATASETS:
        raise UsageError(unknown_name("dataset", name, [*DATASETS, OWN]))
    return DATASETS[name]


def implied_dataset(name: str, images: str) -> str:
    """Returns what nets are built for: `auto` is `own` for a folder and generated images, else `cifar10`."""
    if name != AUTO:
        return name
    return OWN if images.startswith(("folder:", "generated:")) else "cifar10"
