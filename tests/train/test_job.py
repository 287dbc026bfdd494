"""What is trained, and what is refused before anything is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.runs.stored_args import stored_args
from nas_ray.spaces import LayerwiseNets, NatsTss
from nas_ray.terminal.ranges import HERE
from nas_ray.train.args import TrainArgs, parse, remarks
from nas_ray.train.beside import Candidates
from nas_ray.train.job import prepare
from tests.proxies.nets import CONNECTED

ARCH = CONNECTED[0]
SMALL: dict[str, Any] = {"images": "digits", "recipe": "epochs:1", "formats": ("none",), "num_threads": 1}


def refusal(**options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        prepare(TrainArgs(**{"arch": ARCH, **SMALL, **options}))
    return str(caught.value)


def search_run(folder: Path, **args: Any) -> Path:
    folder.mkdir()
    given = {"dataset": "own", "images": "folder:pets", "image_size": 96, "space": "nats-tss", **args}
    info = {"format": 1, "experiment": "rea", "args": {**given, "proxies": ["naswot"], "seed": 3}}
    (folder / "run.json").write_text(json.dumps({**info, "images": {"source": given["images"]}}))
    (folder / "best.json").write_text(json.dumps({"arch": ARCH}))
    return folder


def test_a_run_gives_arch_and_images(tmp_path: Path) -> None:
    args = parse("", [str(search_run(tmp_path / "run")), "--recipe", "epochs:2"])
    assert (args.arch, args.dataset, args.image_size, args.proxies) == (ARCH, "own", 96, ("naswot",))
    assert args.images == f"folder:{Path('pets').absolute()}"
    assert (args.recipe, args.seed) == ("epochs:2", 0)


def test_what_is_given_comes_before_the_run(tmp_path: Path) -> None:
    args = parse("", [str(search_run(tmp_path / "run")), "--image-size", "32", "--arch", "resnet-20"])
    assert (args.arch, args.image_size) == ("resnet-20", 32)


def test_what_differs_from_the_run_is_told(tmp_path: Path) -> None:
    run = search_run(tmp_path / "run")
    assert remarks(parse("", [str(run), "--recipe", "epochs:2"])) == []
    given = parse("", [str(run), "--arch", "resnet-20", "--images", "folder:other"])
    assert remarks(given) == [
        f"--arch is trained, not the best arch of {run}.",
        "The arch was found on other images, folder:pets.",
    ]


@pytest.mark.parametrize(
    ("args", "recipe", "said"),
    [
        (
            {"fidelity": "fast"},
            "nats-200:lr=0.05,nesterov=false",
            [
                "The settings lr=0.05, nesterov=false of the best point are in the recipe.",
                "The settings epochs=2 of the best point say how long its trial was and are left out.",
            ],
        ),
        (
            {"fidelity": None},
            "nats-200",
            [
                "The settings lr=0.05, epochs=2, nesterov=false of the best point had no part in the search, "
                "which trained nothing, and are left out."
            ],
        ),
    ],
)
def test_a_run_over_settings_gives_arch_and_recipe(
    tmp_path: Path, args: dict[str, Any], recipe: str, said: list[str]
) -> None:
    space = "nats-tss@lr=log:0.01..1,epochs=1..4,nesterov=true/false"
    run = search_run(tmp_path / "run", space=space, **args)
    (run / "best.json").write_text(json.dumps({"arch": f"{ARCH}@lr=0.05,epochs=2,nesterov=false"}))
    made = parse("", [str(run)])
    assert (made.arch, made.space, made.recipe) == (ARCH, "nats-tss", recipe)
    assert remarks(made) == said
    other = parse("", [str(run), "--recipe", "fast"])
    assert other.recipe == "fast"
    if args["fidelity"]:
        first = "The settings lr=0.05, nesterov=false of the best point are not used, as --recipe was given."
        assert remarks(other)[0] == first


def test_images_imply_the_dataset_without_a_run() -> None:
    assert parse("", ["--arch", ARCH, "--images", "folder:pets"]).dataset == "own"
    assert parse("", ["--arch", ARCH]).dataset == "cifar10"


def test_a_run_without_a_best_arch_is_refused(tmp_path: Path) -> None:
    folder = search_run(tmp_path / "run")
    (folder / "best.json").write_text(json.dumps({"arch": None}))
    with pytest.raises(UsageError) as caught:
        parse("", [str(folder)])
    assert str(caught.value) == (
        f"A training needs the run folder of a finished search, and {folder} has no best arch; name another, "
        "or give the arch itself with --arch."
    )


def test_arguments_survive_the_run_folder() -> None:
    args = TrainArgs(arch=ARCH, formats=("onnx",), run=Path("runs/x"), beside=("random",))
    stored = json.loads(json.dumps({name: value for name, value in vars(args).items() if name != "run"}))
    assert stored_args(TrainArgs, {**stored, "run": "runs/x"}, Path("x")) == args
    with pytest.raises(UsageError, match=r"^x was changed: seeds must be "):
        stored_args(TrainArgs, {**stored, "seeds": "3"}, Path("x"))
    with pytest.raises(UsageError, match=r"^x was changed: seeds must be from 1 to 10,000, got 10001\."):
        stored_args(TrainArgs, {**stored, "seeds": 10_001}, Path("x"))
    assert stored_args(TrainArgs, {**stored, "seeds": 10_001}, Path("x"), {"seeds"}).seeds == 10_001


def test_a_training_of_a_larger_machine_goes_on_with_fewer_processes(tmp_path: Path) -> None:
    stored = {"arch": ARCH, "num_processes": HERE.most + 1, "num_threads": 64}
    (tmp_path / "run.json").write_text(json.dumps({"format": 1, "experiment": "train", "args": stored}))
    with pytest.raises(UsageError, match="--num-processes must be from 1 to"):
        parse("", ["--resume", str(tmp_path)])
    again = parse("", ["--resume", str(tmp_path), "--num-processes", "2"])
    assert (again.num_processes, again.num_threads) == (2, 64)


def test_a_resumed_training_keeps_its_recipe(tmp_path: Path) -> None:
    info = {"format": 1, "experiment": "train", "args": {"arch": ARCH, "recipe": "epochs:2", "seeds": 1}}
    (tmp_path / "run.json").write_text(json.dumps(info))
    again = parse("", ["--resume", str(tmp_path), "--seeds", "4"])
    assert (again.arch, again.recipe, again.seeds, again.resume) == (ARCH, "epochs:2", 4, tmp_path)
    with pytest.raises(UsageError) as caught:
        parse("", ["--resume", str(tmp_path), "--recipe", "epochs:3"])
    assert str(caught.value) == (
        f"The training {tmp_path} was made with --recipe epochs:2 and cannot go on with epochs:3; leave "
        "--recipe out, or start a new one."
    )


def test_random_archs_beside_have_as_many_parameters() -> None:
    candidates = Candidates(NatsTss(4, 1), "nats-tss", 10, 32)
    found = candidates.named(ARCH, "found")
    beside = candidates.beside(found, ["random:3,lenet-5"], seed=0)
    assert [one.label for one in beside] == ["random-0", "random-1", "random-2", "lenet-5"]
    assert len({found.arch, *(one.arch for one in beside)}) == 5
    assert all(one.params == found.params for one in beside[:3])  # the space has many of each cost
    assert [one.arch for one in beside] == [
        one.arch for one in candidates.beside(found, ["random:3,lenet-5"], seed=0)
    ]
    assert (beside[3].space_name, beside[3].params) == ("hand-designed", 62_006)


def test_a_name_means_the_arch_of_the_space_first() -> None:
    candidates = Candidates(LayerwiseNets(), "layerwise-nets", 10, 32)
    found = candidates.named("lenet-5", "found")
    assert (found.label, found.space_name, found.params) == ("found", "layerwise-nets", 62_148)
    (other,) = candidates.beside(found, ["resnet-20"], seed=0)
    assert (other.label, other.space_name) == ("resnet-20", "hand-designed")
    (like,) = candidates.beside(found, ["resnet-20-like"], seed=0)
    assert like.label == "resnet-20-like"
    with pytest.raises(UsageError, match="Each arch can be trained once"):
        candidates.beside(found, ["lenet-5"], seed=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"arch": None}, "A training needs the run folder of a search, or an arch with --arch."),
        ({"seeds": 0}, "--seeds must be from 1 to 10,000, got 0."),
        ({"num_gpus": 99}, "--num-gpus 99 needs as many GPUs, but this machine has "),
        ({"beside": ("random:x",)}, "Random archs beside are written random or random:3, got 'random:x'."),
        ({"beside": ("random:²",)}, "Random archs beside are written random or random:3, got "),
        (
            {"beside": (f"random:{10**9}",)},
            "The number of random archs beside must be from 1 to 500, got 1000000000.",
        ),
        ({"seed": 2**63 - 2}, "--seed must leave room for --seeds up to 2^63 - 1, got --seed 92233"),
        ({"num_threads": 100_000}, "--num-threads must be from 1 to "),
        ({"num_processes": 1_000}, "--num-processes must be from 1 to "),
        (
            {"beside": ("lenet-5", "lenet-5")},
            "Each arch can be trained once, but --beside names lenet-5, lenet-5 next to found; ",
        ),
        (
            {"recipe": "epochs:1:seeds=2"},
            "Seeds of a final training are given by --seeds; leave seeds out of the recipe.",
        ),
        ({"arch": "|none~1|"}, "An arch of nats-tss reads "),
    ],
)
def test_what_cannot_work_is_told_first(options: dict[str, Any], message: str) -> None:
    assert refusal(**options).startswith(message)


@pytest.mark.parametrize(
    ("arch", "batch_size", "processes", "refused"),
    [
        ("vgg-16-bn", 1, 1, True),
        ("vgg-16-bn", 3, 2, True),
        ("vgg-16-bn", 4, 2, False),
        ("lenet-5", 1, 1, False),
    ],
)
def test_batches_of_one_image_need_a_net_that_takes_them(
    arch: str, batch_size: int, processes: int, refused: bool, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for part, count in (("train", 42), ("test", 3)):
        arrays |= {f"x_{part}": rng.integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)}
        arrays |= {f"y_{part}": np.arange(count) % 3}
    np.savez(tmp_path / "own.npz", **arrays)
    options = {
        "arch": arch, "dataset": "own", "images": f"npz:{tmp_path / 'own.npz'}", "num_processes": processes,
        "recipe": f"epochs:1:batch_size={batch_size}",
    }  # fmt: skip
    if refused:
        assert refusal(**options).startswith(
            "vgg-16-bn has batch normalisation on maps of one pixel for images of 16 pixels, so that each "
        )
    else:
        assert prepare(TrainArgs(**{**SMALL, **options})).found.arch == arch


def test_rare_classes_weigh_more_when_asked() -> None:
    job = prepare(TrainArgs(**{"arch": ARCH, **SMALL, "recipe": "epochs:1:class_weights=true"}))
    assert job.class_weights is not None
    assert len(job.class_weights) == 10
    assert prepare(TrainArgs(**{"arch": ARCH, **SMALL})).class_weights is None
