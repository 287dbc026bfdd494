"""The official NATS-Bench files: one archive per arch, read when it is asked for.

Source: Dong et al., "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and Size", TPAMI 2021;
`nats_bench` interprets the archives. Its own loader, which unpickles whatever a file says, is not used.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nats_bench import ArchResults

from nas_ray.benchmarks.base import Evaluation
from nas_ray.datasets import DATASETS, get_dataset
from nas_ray.errors import UsageError
from nas_ray.spaces.nats_tss import NatsTss
from nas_ray.unpickling import safe_load

FOLDER = "NATS-tss-v1_0-3ffb9-simple"
"""Name of the published directory."""

EPOCHS = (12, 200)
"""The two schedules; 12 is trained separately and is no point of the 200-epoch run."""

VALID = {name: name for name in DATASETS} | {"cifar10": "cifar10-valid"}
"""Published name of the run whose `x-valid` a searcher sees; `cifar10-valid` trains on 25,000 images."""

TEST = {"cifar10": "ori-test", "cifar100": "x-test", "ImageNet16-120": "x-test"}
"""The published test split; for cifar10 it belongs to the run that trains on all 50,000 images."""

_NOTES = {"cifar10": (" (net trained on 25,000 images)", " (net trained on 50,000 images)")}


class NatsBenchmark:
    """The published archives of NATS-TSS on one dataset, for the 12- and the 200-epoch schedule.

    Every look-up reads one archive and keeps nothing, so memory stays flat over the whole space; it costs
    about 15 ms. `experiments/export_nats.py` turns the directory into a table that answers faster.

    Args:
        directory: the unpacked `NATS-tss-v1_0-3ffb9-simple`.
        dataset: published name of the dataset.
        allow_missing: accept a directory with some of the archives; `archs` are then those.

    Raises:
        UsageError: unknown dataset; no such directory, a damaged or foreign one, or archives missing.
    """

    name = "nats"

    def __init__(self, directory: Path | str, dataset: str, *, allow_missing: bool = False) -> None:
        self.dataset = get_dataset(dataset).name
        self.directory = Path(directory)
        self.acc_column = "test_acc"
        valid_note, test_note = _NOTES.get(self.dataset, ("", ""))
        self._split = f"NATS-Bench official files, {self.dataset} validation split x-valid{valid_note}"
        test = f"{self.dataset} test split {TEST[self.dataset]}{test_note}"
        self.acc_source = f"NATS-Bench official files, {test}, 200 epochs, mean over all published seeds"
        self._space = NatsTss()
        found = find_archives(self.directory, allow_missing=allow_missing)
        self._archs = tuple(self._space[index] for index in found)

    @property
    def archs(self) -> Sequence[str]:
        """The archs whose archives are there, in the published index order."""
        return self._archs

    def query(self, arch: str, epochs: int, seed: int | None = None) -> Evaluation:
        """Returns the validation accuracy of `arch` and the seconds that the published protocol charges.

        The seconds are those of `nats_bench`: training for `epochs` epochs and validating once.

        Args:
            arch: canonical string.
            epochs: 12 or 200.
            seed: one published training seed (777, 888, 999; 111 for 12 epochs); the mean over all if None.

        Raises:
            UsageError: unknown arch, schedule or seed; the archive is missing or damaged.
        """
        if epochs not in EPOCHS:
            raise UsageError(
                f"NATS-Bench holds schedules of 12 and 200 epochs, got epochs={epochs}; ask for one of them."
            )
        results, path = self._read(arch)
        with _content_of(path):
            seeds = list(results[str(epochs)].get_dataset_seeds(VALID[self.dataset]))
        listed = ", ".join(map(str, seeds))
        if seed is not None and seed not in seeds:
            raise UsageError(
                f"The {epochs}-epoch schedule of {arch} on {self.dataset} has the seeds {listed}, "
                f"got seed={seed}; ask for one of them or for None, their mean."
            )
        which = f"mean of seeds {listed}" if seed is None and len(seeds) > 1 else f"seed {seed or listed}"
        valid_acc, train, valid = validation(results, self.dataset, epochs, path, seed)
        return Evaluation(
            valid_acc, epochs * train + valid, epochs, f"{self._split}, {epochs} epochs, {which}"
        )

    def test_acc(self, arch: str) -> float:
        """Returns the test accuracy of `arch` after 200 epochs, mean over seeds.

        Raises:
            UsageError: unknown arch; the archive is missing or damaged.
        """
        return test_accuracy(*self._read(arch), self.dataset)

    def all_test_acc(self) -> None:
        """Returns None: it would need one file per arch."""
        return

    def _read(self, arch: str) -> tuple[dict[str, Any], Path]:
        return read_archive(self.directory, self._space.index(arch), arch)


def default_directory() -> Path:
    """Returns where `nats_bench` keeps the directory: under `TORCH_HOME`, else under `~/.torch`."""
    return Path(os.environ.get("TORCH_HOME") or os.path.expanduser("~/.torch")) / FOLDER


def find_archives(
    directory: Path, *, allow_missing: bool = False, allow: str = "pass allow_missing=True from Python"
) -> list[int]:
    """Returns the sorted indices of the archives in an official directory, after checking that it is one.

    Args:
        directory: the unpacked `NATS-tss-v1_0-3ffb9-simple`.
        allow_missing: accept one with some of the archives.
        allow: for an error message, how the caller's user asks for `allow_missing`.

    Raises:
        UsageError: no such directory, a damaged or foreign one, or one with archives missing.
    """
    try:
        files = os.listdir(directory)
    except OSError as error:
        raise UsageError(
            f"The official NATS-Bench files must be a readable directory such as {FOLDER}, got {directory} "
            f"({error.strerror}); unpack the published archive and name its folder."
        ) from error
    size = _check_meta(directory)
    names = (re.fullmatch(r"(\d{6})\.pickle\.pbz2", file) for file in files)
    found = sorted(index for index in (int(name[1]) for name in names if name) if index < size)
    if not found or (len(found) < size and not allow_missing):
        way_out = "" if allow_missing else f", or {allow}"
        raise UsageError(
            f"The directory must hold the archives of all {size} archs, got {directory}, where "
            f"{size - len(found)} are missing; unpack {FOLDER} completely{way_out}."
        )
    return found


def _check_meta(directory: Path) -> int:
    """Returns the number of archs of the space that the meta file must list."""
    meta = safe_load(directory / "meta.pickle.pbz2", what="NATS-Bench meta file", compressed=True)
    listed = meta.get("meta_archs") if isinstance(meta, dict) else None
    archs = tuple(listed) if isinstance(listed, list | tuple) else ()
    archs = archs if all(isinstance(arch, str) for arch in archs) else ()
    if archs and ":" in archs[0]:
        raise UsageError(
            f"The directory must hold the topology space (NATS-tss), got {directory}, which holds the size "
            f"space (NATS-sss); name a {FOLDER} directory."
        )
    published = NatsTss().archs
    if archs != published:
        raise UsageError(
            f"The meta file must list the {len(published)} archs of NATS-TSS in their published order, and "
            f"that in {directory} does not; unpack {FOLDER} again."
        )
    return len(published)


def read_archive(directory: Path, index: int, arch: str) -> tuple[dict[str, Any], Path]:
    """Returns the `ArchResults` of one arch by schedule (`"12"`, `"200"`), and the path of its archive.

    Raises:
        UsageError: the archive is missing, damaged, or another arch's.
    """
    path = directory / f"{index:06d}.pickle.pbz2"
    content = safe_load(path, what="NATS-Bench archive", compressed=True)
    with _content_of(path):
        # dict(): nats_bench takes text for a file name, and unpickles that file without restrictions.
        states = {str(epochs): dict(content[str(epochs)]) for epochs in EPOCHS}
        results = {key: ArchResults.create_from_state_dict(state) for key, state in states.items()}
        held = {result.arch_str for result in results.values()}
    if held != {arch}:
        raise UsageError(
            f"The NATS-Bench archive {path} must hold the arch {arch}, got {', '.join(map(str, held))}; "
            f"unpack {FOLDER} again."
        )
    return results, path


def validation(
    results: dict[str, Any], dataset: str, epochs: int, path: Path, seed: int | None = None
) -> tuple[float, float, float]:
    """Returns `x-valid` accuracy, training seconds per epoch and seconds of one validation."""
    which = False if seed is None else int(seed)  # False: nats_bench's word for the mean over seeds
    with _content_of(path):
        train = results[str(epochs)].get_metrics(VALID[dataset], "train", is_random=which)
        valid = results[str(epochs)].get_metrics(VALID[dataset], "x-valid", is_random=which)
        seconds = (float(part["all_time"]) / epochs for part in (train, valid))
        train_seconds, valid_seconds = (_within(value, math.inf, "seconds") for value in seconds)
        return _within(float(valid["accuracy"]), 100, "an accuracy"), train_seconds, valid_seconds


def test_accuracy(results: dict[str, Any], path: Path, dataset: str) -> float:
    """Returns the test accuracy after 200 epochs in percent, mean over seeds."""
    with _content_of(path):
        return _within(
            float(results["200"].get_metrics(dataset, TEST[dataset])["accuracy"]), 100, "an accuracy"
        )


def _within(value: float, high: float, what: str) -> float:
    if not (math.isfinite(value) and 0 <= value <= high):
        raise ValueError(f"{what} of {value}")
    return value


@contextmanager
def _content_of(path: Path) -> Iterator[None]:
    """Names the archive when its content is not what `nats_bench` expects, which then fails in many ways."""
    try:
        yield
    except Exception as error:
        raise UsageError(
            f"The NATS-Bench archive must hold the 12- and 200-epoch results of one arch, and {path} does "
            f"not ({error!r}); unpack {FOLDER} again."
        ) from error
