"""Files and folders on the command line, missed before anything is imported; a light module.

So is the address of a cluster: nothing but a socket is needed to hear that nobody answers there.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nas_ray.benchmarks.cost_names import check_costs
from nas_ray.drivers.addresses import check_early, find_address
from nas_ray.drivers.plan import PROCESS
from nas_ray.errors import UsageError
from nas_ray.images.folder_files import image_paths
from nas_ray.runs.folder import FILE_NAME, JOURNAL, occupied, read_run
from nas_ray.runs.kinds import check_reportable, check_start
from nas_ray.runs.storage import is_uri
from nas_ray.text.spec import NO_CLASSES, TEXT


def check_paths(args: Any) -> None:
    """Checks that the files and folders among the arguments of a command are there, and its cluster.

    Raises:
        UsageError: one is not, or a new run would go where there is one.
    """
    begins = getattr(args, "resume", None) is None
    for field, check in PATHS.items():
        value = getattr(args, field, None)
        if value is not None and (begins or field not in TAKEN):
            check(value)
    if hasattr(args, "resume") and begins and args.out is not None and not is_uri(args.out):
        _check_new(Path(args.out))
    _check_cluster(args)


def _check_new(folder: Path) -> None:
    if any(os.path.lexists(folder / name) for name in (FILE_NAME, JOURNAL)):
        raise UsageError(occupied(folder))


def _check_cluster(args: Any) -> None:
    """Checks that a cluster answers where one is named."""
    if not hasattr(args, "address") or getattr(args, "driver", None) == PROCESS:
        return
    address = find_address(args.address)
    if address is not None:
        check_early(address)


def _archs(path: Path) -> None:
    if not path.is_file():
        raise UsageError(
            "--archs must be a text file with one arch per line, or a table with a column 'arch', but there "
            f"is no file {path}: check the path."
        )


def _scores(paths: tuple[Path, ...]) -> None:
    for path in paths:
        if not path.is_file():
            raise UsageError(f"--scores-file must be a table, but there is no file {path}: check the path.")


def _chosen_on(path: Path) -> None:
    if not path.is_file():
        raise UsageError(f"--chosen-on must be a table, but there is no file {path}: check the path.")


def _rule(path: Path) -> None:
    if not path.is_file():
        raise UsageError(
            f"--rule-file must be the rule.json of choose-score, but there is no file {path}: check the path."
        )


def _model(path: Path) -> None:
    found = path.expanduser()
    if not (found / MODEL if found.is_dir() else found).is_file():
        raise UsageError(
            f"A net is loaded from the {MODEL} that nas-ray train wrote, or from its folder, and {path} is "
            "none: check the path."
        )
    if _is_of_text(found if found.is_dir() else found.parent):
        raise UsageError(NO_CLASSES)


def _is_of_text(folder: Path) -> bool:
    with contextlib.suppress(UsageError):  # a net can be used without its run.json
        made = read_run(folder).get("args")
        return isinstance(made, dict) and made.get("dataset") == TEXT
    return False


def _images(paths: tuple[Path, ...]) -> None:
    if not paths:
        raise UsageError("A prediction needs at least one image, got none; name files or folders.")
    for path in paths:
        image_paths(path)


def _directory(path: Path) -> None:
    if not path.is_dir():
        raise UsageError(
            f"The official NATS-Bench files must be a readable directory, but there is none at {path}; "
            "unpack the published archive and name its folder."
        )


def _runs(paths: Any) -> None:
    for path in paths if isinstance(paths, tuple) else ():  # of best-arch they are a number
        check_reportable(path)


def _run(path: Path) -> None:
    read_run(path)


MODEL = "model.pt"
PATHS: dict[str, Callable[[Any], None]] = {
    "archs": _archs,
    "costs": check_costs,
    "directory": _directory,
    "model": _model,
    "files": _images,
    "runs": _runs,
    "scores_file": _scores,
    "chosen_on": _chosen_on,
    "rule_file": _rule,
    "start_from": lambda place: check_start(Path(place)),
    "recipe_from": _run,
}
"""The arguments that are paths of what must be there, in the order in which they are looked at."""
TAKEN = ("start_from", "recipe_from")
"""Those of which a run that is resumed has all that it needs."""
