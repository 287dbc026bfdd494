"""What a process inherits from whoever started it, and must not mistake for its own settings.

A batch system, a notebook or a shell leaves variables in the environment: how many tasks a job has, which of
them this process is, where pictures are shown. Libraries guess from them. Here Ray or this package says what
runs where, and pictures are files, so those variables are out of sight where a library would read them.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module

from nas_ray.process.deferred import deferred

PLACEMENT = re.compile(
    r"(SLURMD?|PMIX?|OMPI|MPI|MPICH|MV2|LSB|LSF|JSM|PBS|TORCHELASTIC|TORCHCOMMS?|ROLE|PL)_.*"
    r"|([A-Z]+_)?(RANK|WORLD_SIZE)|MASTER_(ADDR|PORT)|STANDALONE_PORT"
)
"""Variables that say which process of how many this is: of batch systems, MPI, torchrun and Lightning."""
LIGHTNING = ("pytorch_lightning", "lightning_fabric", "torchmetrics")
"""Lightning's packages."""
HEAVY = ("torchvision", "torch._dynamo", "torch.utils.flop_counter", "scipy", "matplotlib")
"""What these import and nothing here needs of them: half of the time that a worker takes to start."""
PICTURES = re.compile(r"MPLBACKEND|MATPLOTLIBRC")
"""Variables that say how matplotlib shows pictures."""


@contextlib.contextmanager
def hidden(names: re.Pattern[str]) -> Iterator[None]:
    """Takes the variables of these names out of the environment, and puts them back as they were."""
    before = _taken(names)
    try:
        yield
    finally:
        _taken(names)  # what a library has set for itself
        os.environ.update(before)


def _taken(names: re.Pattern[str]) -> dict[str, str]:
    return {name: os.environ.pop(name) for name in list(os.environ) if names.fullmatch(name)}


def import_matplotlib() -> None:
    """Imports matplotlib, whose import fails where the settings that it reads are no settings.

    As it is, where that works; else without the variables of others; else also out of sight of the
    `matplotlibrc` of the working directory and of the user.
    """
    if "matplotlib" in sys.modules:
        return
    for surroundings in (contextlib.nullcontext, _without_variables, _elsewhere):
        with contextlib.suppress(Exception), surroundings():
            import_module("matplotlib")
            return
        _forget("matplotlib")  # what was imported before it failed refers to the half of it
    import_module("matplotlib")  # says what is wrong with it


def _without_variables() -> contextlib.AbstractContextManager[None]:
    return hidden(PICTURES)


@contextlib.contextmanager
def _elsewhere() -> Iterator[None]:
    """Lets matplotlib look for settings in an empty folder."""
    here, config = os.open(".", os.O_RDONLY), os.environ.get("MPLCONFIGDIR")
    with hidden(PICTURES), tempfile.TemporaryDirectory() as empty:
        try:
            os.chdir(empty)  # where it looks first, whatever the variables say
            os.environ["MPLCONFIGDIR"] = empty
            yield
        finally:
            os.fchdir(here)
            os.close(here)
            os.environ.pop("MPLCONFIGDIR")
            if config is not None:
                os.environ["MPLCONFIGDIR"] = config


def import_lightning() -> None:
    """Imports Lightning, which reads the rank of this process, without what it brings and does not use here.

    Where a version of it uses that while it is imported, all is imported as always.
    """
    if "pytorch_lightning" in sys.modules:
        return
    with contextlib.suppress(Exception), hidden(PLACEMENT), deferred(HEAVY, LIGHTNING), _undisturbed():
        import_module("pytorch_lightning")
        return
    _forget(*LIGHTNING)
    import_matplotlib()
    with hidden(PLACEMENT):
        import_module("pytorch_lightning")


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Lets functions be hidden from torch's compiler without importing it, until one of them is called."""
    import torch

    before = torch.compiler.disable
    torch.compiler.disable = torch._disable_dynamo  # type: ignore[assignment,attr-defined]  # as torch does
    try:
        yield
    finally:
        torch.compiler.disable = before


def _forget(*packages: str) -> None:
    """Forgets modules of which half was imported."""
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        del sys.modules[name]
