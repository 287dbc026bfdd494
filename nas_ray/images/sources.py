"""The image sources by name, and the choice that `auto` makes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from nas_ray.errors import UsageError
from nas_ray.errors.checks import TEXT, instance
from nas_ray.images.cifar_images import open_cifar
from nas_ray.images.datasets import DatasetInfo
from nas_ray.images.digits import open_digits
from nas_ray.images.folder_images import open_folder
from nas_ray.images.imagenet16 import open_imagenet16
from nas_ray.images.npz_images import open_npz
from nas_ray.images.open_generated import open_generated
from nas_ray.images.spec import read_spec
from nas_ray.images.splits import Images, Opener, Source

IMAGES: dict[str, Opener] = {
    "cifar10": open_cifar,
    "cifar100": open_cifar,
    "ImageNet16-120": open_imagenet16,
    "digits": open_digits,
    "npz": open_npz,
    "folder": open_folder,
    "generated": open_generated,
}


@dataclass(frozen=True)
class OpenedImages:
    """An opened source.

    Attributes:
        images: its splits.
        source: the spec that opens the same images again; never `auto`.
        note: one line for the user where `auto` fell back to digits, else None.
    """

    images: Images
    source: str
    note: str | None = None


def open_images(
    spec: str,
    dataset: DatasetInfo,
    root: Path | None = None,
    download: bool = False,
    *,
    split_seed: int = 0,
    skip_unreadable: bool = False,
) -> OpenedImages:
    """Returns the images that `spec` names.

    Args:
        spec: a key of `IMAGES`, where `npz` and `folder` take a path as in `npz:PATH` and `generated` a
            definition as in `generated:pairs`; or `auto`, which takes the dataset's own images where they are
            on disk (or may be downloaded), else the digits.
        dataset: what the nets are built for.
        root: folder of the published datasets; the default is `search_roots`.
        download: fetch CIFAR where it is not on disk; with `auto`, a failed download is then an error.
        split_seed: draws what a folder without a test part holds out.
        skip_unreadable: leave out files of a folder that cannot be decoded.

    Raises:
        UsageError: unknown source, or input that it cannot read.
    """
    TEXT.check("spec", spec)
    instance(DatasetInfo, "a DatasetInfo, such as get_dataset('cifar10')").check("dataset", dataset)
    roots = search_roots() if root is None else (Path(root).expanduser(),)
    if spec != "auto":
        opener, path = parse(spec)
        source = Source(spec, path, dataset, roots, download, split_seed, skip_unreadable)
        return OpenedImages(_open(opener, source), spec)
    own = Source(dataset.name, "", dataset, roots, download)
    try:
        return OpenedImages(_open(IMAGES[own.spec], own), own.spec)
    except UsageError:
        if download:
            raise
        images = open_digits(Source("digits", "", dataset, roots, download))
        note = (
            f"Images: digits, because there are no complete {dataset.name} images in "
            f"{' or '.join(map(str, roots))}; --images chooses others."
        )
        return OpenedImages(images, "digits", note)


def _open(opener: Opener, source: Source) -> Images:
    try:
        return opener(source)
    except OSError as error:  # such as a folder without permission, wherever in a source it is met
        raise UsageError(f"Images {source.spec!r} must be readable, but they are not: {error}.") from error


def parse(spec: str) -> tuple[Opener, str]:
    """Returns the opener that `spec` names and the path or definition that it carries, `""` for none.

    Raises:
        UsageError: unknown name, a path that is missing or that the source does not take.
    """
    name, path = read_spec(spec)
    return IMAGES[name], path


def search_roots() -> tuple[Path, ...]:
    """Returns the folders that are searched for published datasets, in order; the first takes downloads.

    `NAS_RAY_DATA`, or `~/.cache/nas_ray` where that is not set; then `TORCH_HOME` and `TORCH_HOME/datasets`.
    """
    first = Path(os.environ.get("NAS_RAY_DATA") or "~/.cache/nas_ray").expanduser()
    torch_home = os.environ.get("TORCH_HOME")
    if not torch_home:
        return (first,)
    home = Path(torch_home).expanduser()
    return (first, home, home / "datasets")
