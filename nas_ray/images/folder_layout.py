"""What the folders of a folder of images are: classes, or parts of a split with the classes below."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nas_ray.errors import UsageError, printable
from nas_ray.images.folder_files import class_names, holds_images
from nas_ray.images.spec import check_folder

_PARTS = {
    "train": {"train", "training", "trn"},
    "test": {"test", "testing", "tst"},
    "valid": {"val", "valid", "validation", "validate", "dev", "devel", "eval", "evaluation"},
}
_PURPOSE = {"train": "train on", "test": "test with", "valid": "validate with"}


@dataclass(frozen=True)
class FolderLayout:
    """Where the images of a folder are.

    Attributes:
        train: folder of the classes that are trained on.
        names: of these classes, sorted.
        test: folder of the held-out classes, or None where there is none.
        note: one line on what is not used, or None.
    """

    train: Path
    names: list[str]
    test: Path | None = None
    note: str | None = None


def folder_layout(path: Path) -> FolderLayout:
    """Returns what the folders below `path` are.

    Classes lie in `path` itself or in its parts, a training part and one to test with; either may lie in one
    more folder that holds nothing else.

    Raises:
        UsageError: no such folder, no classes, or folders that cannot be the classes.
    """
    check_folder(path)
    root = _unwrapped(path)
    parts = {kind: _part(root, kind) for kind in _PARTS}
    train, test = parts["train"], parts["test"] or parts["valid"]
    classes = root if train is None else _unwrapped(train)
    names = class_names(classes)
    if not names:
        raise UsageError(f"folder:PATH needs one sub-folder of images per class, but {classes} has none.")
    if train is None:
        _check_no_parts(root, names)
    _check_classes(classes, names)
    if train is None:
        return FolderLayout(root, names, note=_note_on_classes(root, names))
    note = _note_on_parts(root, train, test, parts["valid"])
    return FolderLayout(classes, names, None if test is None else _unwrapped(test), note)


def part_of(name: str) -> str | None:
    """Returns which part of a split a folder of that name is: `train`, `test`, `valid`, or None."""
    plain = re.sub(r"[-_ .]?(set|data|images|split)$", "", name.lower())
    return next((kind for kind, known in _PARTS.items() if plain in known), None)


def _unwrapped(path: Path) -> Path:
    """Returns the first folder from `path` on that is more than a wrapping around one other."""
    while True:
        names = class_names(path)
        inner = path / names[0] if len(names) == 1 else path
        if inner == path or not class_names(inner) or holds_images(inner):
            return path
        path = inner


def _part(root: Path, kind: str) -> Path | None:
    """Returns the part of a split that has classes, None where there is none.

    Raises:
        UsageError: there are several.
    """
    found = [name for name in class_names(root) if part_of(name) == kind and class_names(root / name)]
    if len(found) > 1:
        raise UsageError(
            f"{root} must have one folder to {_PURPOSE[kind]}, but has {' and '.join(printable(found))}; put "
            "their images together, or move one away."
        )
    return root / found[0] if found else None


def _check_no_parts(root: Path, names: list[str]) -> None:
    """Checks that classes are no parts of a split, which a net would learn to tell apart.

    Raises:
        UsageError: several are, or one holds the others. One alone may be a class, such as the train among
            vehicles.
    """
    for name in names:
        others = set(names) - {name}
        held = others & set(class_names(root / name))
        if held and (part_of(name) or held == others):
            raise UsageError(
                f"Each folder of a class must hold images of that class, but {name} of {root} holds folders "
                f"such as {printable(sorted(held))[0]!r}, which is a class beside it; use PATH/CLASS/image "
                "or PATH/train/CLASS/image and PATH/test/CLASS/image."
            )
    kinds = {kind: name for name in reversed(names) if (kind := part_of(name))}
    if len(kinds) < 2:
        return
    first, second, *_ = sorted(kinds.values())
    raise UsageError(
        f"The parts of a split must hold one folder per class, but {first} and {second} of {root} would be "
        f"classes themselves; sort the images into folders such as {first}/CLASS, or rename what is a class."
    )


def _check_classes(path: Path, names: list[str]) -> None:
    """Checks that the classes are not cameras, sessions or parts that each have the true classes below.

    Raises:
        UsageError: they are, as they all hold the same folders.
    """
    inside = [{name.lower() for name in class_names(path / of)} for of in names]
    common = set.intersection(*inside)
    equal = all(of == inside[0] for of in inside)
    if len(names) < 2 or not common or not (equal or not any(holds_images(path / of) for of in names)):
        return
    raise UsageError(
        f"Each folder of a class must hold images of that class, but {', '.join(printable(names))} of {path} "
        f"all hold a folder {printable(sorted(common))[0]!r}, as if the classes were below them; use "
        "PATH/CLASS/image or PATH/train/CLASS/image and PATH/test/CLASS/image."
    )


def _note_on_classes(root: Path, names: list[str]) -> str | None:
    """Returns what is said of a class that is called as a part of a split is."""
    parts = [name for name in names if part_of(name)]
    return (
        f"Images: {parts[0]} of {root} is taken for a class, like the folders beside it." if parts else None
    )


def _note_on_parts(root: Path, train: Path, test: Path | None, valid: Path | None) -> str | None:
    """Returns what is said of folders beside the parts that are used."""
    unused = [name for name in class_names(root) if root / name not in (train, test)]
    if train == root or not unused:
        return None
    held = "one image in five of it is held out" if test is None else f"{test.name} is tested with"
    one = "is" if len(unused) == 1 else "are"
    said = (
        f"Images: of {root}, {train.name} is trained on and {held}; {', '.join(printable(unused))} beside "
        f"{'it' if test is None else 'them'} {one} not used."
    )
    if valid in (None, test):
        return said
    return (
        f"{said} A training holds out its own part of the training images for validation; to use that of the "
        f"folder too, move its images into those of {train.name}."
    )
