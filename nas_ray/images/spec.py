"""How images are named; a light module, for quick answers."""

from __future__ import annotations

from pathlib import Path

from nas_ray.errors import UsageError, unknown_name
from nas_ray.images.generated import parse_generated

NAMES = ("cifar10", "cifar100", "ImageNet16-120", "digits", "npz", "folder", "generated")
WITH_PATH = ("npz", "folder")
GENERATED = "generated"


def read_spec(spec: str) -> tuple[str, str]:
    """Returns the source that `spec` names and the path or definition that it carries, `""` for none.

    Raises:
        UsageError: unknown name, a path that is missing or that the source does not take.
    """
    name, colon, path = spec.partition(":")
    if name == "auto":
        raise UsageError(f"Images 'auto' take no path, but {spec!r} was given: write auto.")
    if name not in NAMES:
        hint = unknown_name("images", name, ["auto", *NAMES])
        raise UsageError(f"{hint.removesuffix('.')}; npz and folder take a path, as in npz:PATH.")
    if name in WITH_PATH and not path.strip():
        raise UsageError(f"Images {name!r} need a path, as in {name}:PATH, but {spec!r} was given.")
    if name == GENERATED and not path.strip():
        raise UsageError(f"Images {name!r} need a definition, as in {name}:pairs, but {spec!r} was given.")
    if name not in (*WITH_PATH, GENERATED) and colon:
        raise UsageError(f"Images {name!r} take no path, but {spec!r} was given: write {name}.")
    return name, path


def check_images(spec: str) -> None:
    """Checks that images can be meant, and that there is something at their path or can be generated.

    Raises:
        UsageError: they cannot.
    """
    if spec == "auto":
        return
    name, path = read_spec(spec)
    if name in WITH_PATH:
        CHECKS[name](Path(path).expanduser())
    if name == GENERATED:
        parse_generated(path).check_files()


def check_archive(path: Path) -> None:
    """Checks that there is a file.

    Raises:
        UsageError: there is none.
    """
    if not path.is_file():
        raise UsageError(f"npz:PATH needs a NumPy archive, but there is no file {path}: check the path.")


def check_folder(path: Path) -> None:
    """Checks that there is a folder.

    Raises:
        UsageError: there is none.
    """
    if not path.is_dir():
        raise UsageError(f"folder:PATH needs a folder, but {path} is not one: check the path.")


CHECKS = {"npz": check_archive, "folder": check_folder}
