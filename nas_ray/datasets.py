"""The three datasets of NATS-Bench: facts only, no images."""

from __future__ import annotations

from dataclasses import dataclass

from nas_ray.errors import UsageError
from nas_ray.plugins import unknown_name


@dataclass(frozen=True)
class DatasetInfo:
    """What a net must be built for.

    Attributes:
        name: published name.
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
    """Returns the facts of dataset `name`.

    Raises:
        UsageError: unknown name; the message has the nearest match.
    """
    if name not in DATASETS:
        raise UsageError(unknown_name("dataset", name, list(DATASETS)))
    return DATASETS[name]
