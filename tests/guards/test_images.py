"""No command goes on with other images or numbers than it began with, nor begins with copies of one image."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from nas_ray.best_arch import run as best_runs
from nas_ray.best_arch.args import BestArgs
from nas_ray.correlate.run import compare_all
from nas_ray.errors import UsageError
from nas_ray.reproduce.args import ReproduceArgs
from nas_ray.reproduce.live import LiveRuns, check_folder
from nas_ray.runs.folder import create_run, read_run
from nas_ray.runs.record import Record
from nas_ray.runs.writing import write_json, write_table
from nas_ray.score_space.args import ScoreArgs
from nas_ray.score_space.job import prepare as prepare_scores
from nas_ray.search.arguments import ReaArgs
from nas_ray.search.experiment import prepare
from nas_ray.search.session import describe, replay
from nas_ray.search.two_stage import Halving
from nas_ray.search.two_stage_args import TwoStageArgs
from nas_ray.train.args import TrainArgs, remarks
from nas_ray.train.damage import check_same_images
from nas_ray.train.job import prepare as prepare_training
from tests.proxies.nets import CONNECTED

SMALL = {"batch_size": 4, "num_samples": 3}
OLD_KEYS = ("images_sha256", "benchmark_sha256")


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (60, 16, 16, 3), dtype=np.uint8)
    return {"x_train": x[:40], "y_train": np.arange(40) % 4, "x_test": x[40:], "y_test": np.arange(20) % 4}


@pytest.fixture
def images(tmp_path: Path) -> str:
    np.savez(tmp_path / "own.npz", **arrays())
    return f"npz:{tmp_path / 'own.npz'}"


def other_test_images(images: str) -> None:
    """Changes one image that no minibatch holds; number, labels and names stay."""
    held = arrays()
    held["x_test"][3] = 255 - held["x_test"][3]
    np.savez(images.removeprefix("npz:"), **held)


def search(images: str, folder: Path, fidelity: str | None = None) -> Callable[[], None]:
    def opened() -> None:
        args = ReaArgs(images=images, dataset="own", fidelity=fidelity, **SMALL)
        experiment = prepare("rea", args, "rea")
        if not (folder / "run.json").exists():
            create_run(folder, describe(experiment))
            (folder / "journal.jsonl").touch()
        replay(experiment, folder)

    return opened


def two_stage(images: str, folder: Path) -> Callable[[], None]:
    def opened() -> None:
        halving = Halving(TwoStageArgs(images=images, dataset="own", rungs=("1",), **SMALL))
        if not (folder / "run.json").exists():
            create_run(folder, halving.info())
        halving.check(folder)

    return opened


def training(images: str, folder: Path) -> Callable[[], None]:
    def opened() -> None:
        args = TrainArgs(images=images, dataset="own", arch="lenet-5", recipe="epochs:1", formats=("none",))
        job = prepare_training(args)
        if not (folder / "run.json").exists():
            create_run(folder, job.identity())
        check_same_images(read_run(folder), job.identity())

    return opened


def best(images: str, folder: Path) -> Callable[[], None]:
    def opened() -> None:
        args = BestArgs(runs=1, images=images, batch_size=4, benchmark="none", out=folder)
        used = best_runs.used(best_runs.minibatch(args, 0), {})
        best_runs.earlier_rows(folder, args, used)
        folder.mkdir(exist_ok=True)
        Record(folder, "best_arch", args, **used).begin()
        write_table(folder, best_runs.pd.DataFrame([{"seed": 0, "arch": CONNECTED[0]}]), "best")

    return opened


def live(images: str, folder: Path) -> Callable[[], None]:
    def opened() -> None:
        args = ReproduceArgs(scores="live", images=images, batch_size=4)
        runs = LiveRuns.of(args, [])
        assert runs is not None
        check_folder(folder, runs._identity)

    return opened


COMMANDS = [search, functools.partial(search, fidelity="fast"), two_stage, training, best, live]


@pytest.mark.parametrize("command", COMMANDS)
def test_images_that_changed_are_refused(
    command: Callable[[str, Path], Callable[[], None]], images: str, tmp_path: Path
) -> None:
    opened = command(images, tmp_path / "run")
    opened()
    opened()
    other_test_images(images)
    with pytest.raises(UsageError) as caught:
        opened()
    said = str(caught.value)
    assert "must go on with the images that it began with, but their pixels, labels or classes have" in said
    assert "bring the same back, or " in said
    np.savez(images.removeprefix("npz:"), **arrays())
    opened()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_of_an_earlier_version_goes_on(
    command: Callable[[str, Path], Callable[[], None]], images: str, tmp_path: Path
) -> None:
    opened = command(images, tmp_path / "run")
    opened()
    info = read_run(tmp_path / "run")
    assert info["images_sha256"]
    write_json(tmp_path / "run" / "run.json", {key: info[key] for key in info if key not in OLD_KEYS})
    opened()


def test_a_training_says_that_images_changed_since_the_search(images: str, tmp_path: Path) -> None:
    search(images, tmp_path / "run")()
    write_json(tmp_path / "run" / "best.json", {"arch": CONNECTED[0]})
    args = TrainArgs(images=images, dataset="own", arch=CONNECTED[0], run=tmp_path / "run", formats=("none",))
    assert remarks(args, prepare_training(args).images.sha256) == []
    other_test_images(images)
    changed = prepare_training(args).images.sha256
    said = f"The images have changed since the search {tmp_path / 'run'}: their pixels, labels or classes."
    assert remarks(args, changed) == [said]
    assert remarks(dataclasses.replace(args, split_seed=1), changed) == []


def test_kept_numbers_of_a_changed_benchmark_are_refused(tmp_path: Path) -> None:
    args = BestArgs(runs=1, images="digits", batch_size=4, out=tmp_path)
    used = {"images_sha256": "a", "benchmark_sha256": "b"}
    Record(tmp_path, "best_arch", args, **used).begin()
    write_table(tmp_path, best_runs.pd.DataFrame([{"seed": 0, "arch": "x"}]), "best")
    assert best_runs.earlier_rows(tmp_path, args, used) == [{"seed": 0, "arch": "x"}]
    with pytest.raises(
        UsageError, match="must go on with the benchmark that it began with, but what it holds"
    ):
        best_runs.earlier_rows(tmp_path, args, {**used, "benchmark_sha256": "c"})


def copies(images: str) -> None:
    held = arrays()
    held["x_train"][:] = 0
    np.savez(images.removeprefix("npz:"), **held)


def correlate(images: str, folder: Path) -> None:
    compare_all(
        out=folder,
        console=Console(quiet=True),
        proxies=["naswot"],
        fitness=[],
        datasets=["cifar10"],
        num_archs=10,
        stratified=False,
        images=images,
        benchmark="nb201",
        batch_size=4,
        seed=0,
        init_seed=0,
        batch_seed=0,
        score_as=None,
        resamples=10,
        num_cpus=1,
        num_gpus=0,
    )


BEGINNINGS: dict[str, Callable[[str, Path], object]] = {
    "search": lambda images, folder: search(images, folder)(),
    "two_stage": lambda images, folder: two_stage(images, folder)(),
    "best_arch": lambda images, folder: best(images, folder)(),
    "live": lambda images, folder: live(images, folder)(),
    "correlate": correlate,
    "score_space": lambda images, folder: prepare_scores(
        ScoreArgs(images=images, batch_size=4, proxies=("synflow",), out=folder), Console(quiet=True)
    ),
}


@pytest.mark.parametrize("name", list(BEGINNINGS))
def test_copies_of_one_image_are_refused_before_a_worker_starts(
    name: str, images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ray.init", lambda *args, **options: pytest.fail("a worker starts"))
    copies(images)
    with pytest.raises(
        UsageError, match="A minibatch needs 4 different images, but the training split of npz"
    ):
        BEGINNINGS[name](images, tmp_path / "run")
    assert not (tmp_path / "run" / "run.json").exists()


def test_a_training_on_copies_shows_the_scores_of_what_is_different(images: str) -> None:
    held = arrays()
    held["x_train"][10:] = held["x_train"][0]
    np.savez(images.removeprefix("npz:"), **held)
    job = prepare_training(
        TrainArgs(images=images, dataset="own", arch="lenet-5", recipe="epochs:1", formats=("none",))
    )
    assert 1 < len(job.scored.targets) <= 10
    assert job.scored.repeats


def test_a_search_by_training_alone_may_have_copies(images: str) -> None:
    copies(images)
    prepare("rea", ReaArgs(images=images, dataset="own", fidelity="fast", **SMALL), "rea")


def test_a_score_that_no_net_can_have_is_refused_where_the_search_needs_it(images: str) -> None:
    args = ReaArgs(images=images, dataset="own", batch_size=1, num_samples=3)
    with pytest.raises(UsageError) as caught:
        prepare("rea", args, "rea")
    assert str(caught.value) == (
        "Scores need a minibatch on which they are defined, but naswot is not for any net: needs a batch of "
        "at least 2 images, got 1. Raise --batch-size (now 1), draw others with another seed, or leave "
        "naswot out."
    )
    needed = dataclasses.replace(args, batch_size=4, proxies=("naswot", "epe_nas"), fitness="single:naswot")
    prepare("rea", needed, "rea")
    with pytest.raises(UsageError, match="but epe_nas is not for any net: needs images of each of the 4"):
        prepare("rea", dataclasses.replace(needed, fitness="rank_sum:naswot,epe_nas"), "rea")
