"""The official NATS-Bench files: one archive per arch, read when it is asked for.

Source: Dong et al., "NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and Size", TPAMI 2021;
`nats_bench` interprets the archives. Its own loader, which unpickles whatever a file says, is not used.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nats_bench import ArchResults

from nas_ray.benchmarks.base import Evaluation, check_arch, known_number
from nas_ray.benchmarks.nats_directory import FOLDER, FOLDERS, NatsSpace, default_directory, find_archives
from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS, get_dataset
from nas_ray.safe_files.pickles import safe_load
from nas_ray.spaces.nats_sss import NatsSss

Results = dict[int, Any]
"""The `ArchResults` of an arch by epochs of the schedule."""

VALID = {name: name for name in DATASETS} | {"cifar10": "cifar10-valid"}
"""Published name of the run whose `x-valid` a searcher sees; `cifar10-valid` trains on 25,000 images."""

TEST = {"cifar10": "ori-test", "cifar100": "x-test", "ImageNet16-120": "x-test"}
"""The published test split; for cifar10 it belongs to the run that trains on all 50,000 images."""

_NOTES = {"cifar10": (" (net trained on 25,000 images)", " (net trained on 50,000 images)")}


class NatsBenchmark:
    """The published archives of NATS-TSS or NATS-SSS on one dataset, for each published schedule.

    Every look-up reads one archive and keeps nothing, so memory stays flat over the whole space; it costs
    about 15 ms. `nas-ray export-nats` turns the directory into a table that answers faster.

    Args:
        directory: the unpacked `NATS-tss-v1_0-3ffb9-simple` or `NATS-sss-v1_0-50262-simple`.
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
        self.space, found = find_archives(self.directory, allow_missing=allow_missing)
        last = self.space.schedules[-1]
        self.acc_source = f"NATS-Bench official files, {test}, {last} epochs, mean over all published seeds"
        self._archs = tuple(self.space[index] for index in found)
        self.files = [self.directory / f"{index:06d}.pickle.pbz2" for index in found]

    @property
    def archs(self) -> Sequence[str]:
        """The archs whose archives are there, in the published index order."""
        return self._archs

    def query(self, arch: str, epochs: int, seed: int | None = None) -> Evaluation:
        """Returns the validation accuracy of `arch` and the seconds that the published protocol charges.

        The seconds are those of `nats_bench`: training for `epochs` epochs and validating once.

        Args:
            arch: canonical string.
            epochs: a schedule of the space: 12 or 200 for NATS-TSS; 1, 12 or 90 for NATS-SSS.
            seed: one published training seed (777, 888, 999; 111 for 12 epochs); the mean over all if None.

        Raises:
            UsageError: unknown arch, schedule or seed; the archive is missing or damaged.
        """
        check_arch(arch)
        if not known_number(epochs, self.space.schedules):
            held = " and ".join(map(str, self.space.schedules))
            raise UsageError(
                f"NATS-Bench holds schedules of {held} epochs, got epochs={epochs!r}; ask for one of them."
            )
        results, path = self._read(arch)
        with _content_of(path):
            seeds = list(results[epochs].get_dataset_seeds(VALID[self.dataset]))
        listed = ", ".join(map(str, seeds))
        if seed is not None and not known_number(seed, seeds):
            raise UsageError(
                f"The {epochs}-epoch schedule of {arch} on {self.dataset} has the seeds {listed}, "
                f"got seed={seed!r}; ask for one of them or for None, their mean."
            )
        which = f"mean of seeds {listed}" if seed is None and len(seeds) > 1 else f"seed {seed or listed}"
        valid_acc, train, valid = validation(results, self.dataset, epochs, path, seed)
        return Evaluation(
            valid_acc, epochs * train + valid, epochs, f"{self._split}, {epochs} epochs, {which}"
        )

    def test_acc(self, arch: str) -> float:
        """Returns the test accuracy of `arch` after the longest schedule, mean over seeds.

        Raises:
            UsageError: unknown arch; the archive is missing or damaged.
        """
        return test_accuracy(*self._read(arch), self.dataset, self.space)

    def all_test_acc(self) -> None:
        """Returns None: it would need one file per arch."""
        return

    def _read(self, arch: str) -> tuple[Results, Path]:
        check_arch(arch)
        return read_archive(self.directory, self.space, self.space.index(arch))


def read_archive(directory: Path, space: NatsSpace, index: int) -> tuple[Results, Path]:
    """Returns the `ArchResults` of an arch by schedule, and the path of its archive.

    Raises:
        UsageError: the archive is missing, damaged, or another arch's.
    """
    path, arch = directory / f"{index:06d}.pickle.pbz2", space[index]
    content = safe_load(path, what="NATS-Bench archive", compressed=True)
    with _content_of(path):
        # dict(): nats_bench takes text for a file name, and unpickles that file without restrictions.
        states = {epochs: dict(content[_key(space, epochs)]) for epochs in space.schedules}
        results = {epochs: ArchResults.create_from_state_dict(state) for epochs, state in states.items()}
        held = {result.arch_str for result in results.values()}
    if held != {arch}:
        raise UsageError(
            f"The NATS-Bench archive {path} must hold the arch {arch}, got {', '.join(map(str, held))}; "
            f"unpack {FOLDERS[type(space)]} again."
        )
    return results, path


def _key(space: NatsSpace, epochs: int) -> str:
    """Returns the published name of a schedule: two digits in the size space."""
    return f"{epochs:02d}" if isinstance(space, NatsSss) else str(epochs)


def validation(
    results: Results, dataset: str, epochs: int, path: Path, seed: int | None = None
) -> tuple[float, float, float]:
    """Returns `x-valid` accuracy, training seconds per epoch and seconds of one validation."""
    which = False if seed is None else int(seed)  # False: nats_bench's word for the mean over seeds
    with _content_of(path):
        train = results[epochs].get_metrics(VALID[dataset], "train", is_random=which)
        valid = results[epochs].get_metrics(VALID[dataset], "x-valid", is_random=which)
        seconds = (float(part["all_time"]) / epochs for part in (train, valid))
        train_seconds, valid_seconds = (_within(value, math.inf, "seconds") for value in seconds)
        return _within(float(valid["accuracy"]), 100, "an accuracy"), train_seconds, valid_seconds


def test_accuracy(results: Results, path: Path, dataset: str, space: NatsSpace) -> float:
    """Returns the test accuracy after the longest schedule in percent, mean over seeds."""
    with _content_of(path):
        last = results[space.schedules[-1]]
        return _within(float(last.get_metrics(dataset, TEST[dataset])["accuracy"]), 100, "an accuracy")


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
            f"The NATS-Bench archive must hold the results of one arch for every schedule, and {path} does "
            f"not ({error!r}); unpack {path.parent.name} again."
        ) from error


__all__ = [
    "FOLDER",
    "FOLDERS",
    "NatsBenchmark",
    "NatsSpace",
    "default_directory",
    "find_archives",
    "read_archive",
    "test_accuracy",
    "validation",
]
