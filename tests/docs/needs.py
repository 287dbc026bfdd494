"""What blocks of the documents may need beside a bare install, and whether it is here."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image

from nas_ray.spaces.named import open_space
from nas_ray.training.trained_text import TextFacts, TrainedText
from tests.docs.blocks import ROOT
from tests.guards.commands import write_model


@dataclass(frozen=True)
class Need:
    """Something that a block needs.

    Attributes:
        why: how it is got, or why tests never have it.
        here: puts what is needed into a working directory, given a folder of data or None; false where it is
            not to be had.
    """

    why: str
    here: Callable[[Path, Path | None], bool] = lambda folder, data: False


def from_data(name: str, source: str = "") -> Need:
    """Returns the need of a file that the folder of data holds."""

    def here(folder: Path, data: Path | None) -> bool:
        there = None if data is None else data / (source or name)
        if there is None or not there.exists():
            return False
        if not (folder / name).exists():
            (folder / name).symlink_to(there)
        return True

    return Need("in the folder of data", here)


def package(name: str) -> Need:
    """Returns the need of an extra package."""
    return Need(f"pip install {name}", lambda folder, data: importlib.util.find_spec(name) is not None)


def checkout(folder: Path, data: Path | None) -> bool:
    """Lets `experiments/` and `perf/` be found from `folder`."""
    for name in ("experiments", "perf", "tests"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    return True


def trained_net(folder: Path, data: Path | None) -> bool:
    """Puts a small net where `nas-ray train` would."""
    if not (folder / "runs" / "trained").exists():
        (folder / "runs" / "trained").mkdir(parents=True)
        write_model(folder / "runs" / "trained" / "model.pt")
    return True


def trained_text(folder: Path, data: Path | None) -> bool:
    """Puts a small net of a text where `nas-ray train` would."""
    made = folder / "runs" / "rnn-trained"
    if not made.exists():
        made.mkdir(parents=True)
        space = "rnn-nets:embedding=8,width=8"
        words = ("<unk>", "<eos>", *["the", "value", "of", "a", "name", "is", "an", "object", "."])
        with torch.random.fork_rng():
            net = open_space(space).build("lstm", len(words))
        TrainedText(net, TextFacts("lstm", space, "words", words)).save(made / "model.pt")
    return True


def results(folder: Path, data: Path | None) -> bool:
    """Puts a table of results beside it."""
    (folder / "results.csv").write_text("method,cifar10,cifar100\nmine,93.94±0.40,71.91±1.23\n")
    return True


def pictures(folder: Path, data: Path | None) -> bool:
    """Puts pictures beside it."""
    (folder / "photos").mkdir(exist_ok=True)
    Image.new("RGB", (40, 30), "red").save(folder / "photo.jpg")
    Image.new("L", (20, 50)).save(folder / "photos" / "black.png")
    return True


NEVER = "a test has none"
NEEDS = {
    "a checkout": Need("the repository", checkout),
    "an older one beside it": Need(NEVER),
    "`nats_tss.csv.gz`": from_data("nats_tss.csv.gz"),
    "`nats_tss_latency.csv.gz`": from_data("nats_tss_latency.csv.gz"),
    "`wikitext2_valid.txt`": from_data("wikitext2_valid.txt"),
    "`wikitext2_test.txt`": from_data("wikitext2_test.txt"),
    "`nats_sss_half.csv.gz`": from_data("nats_sss_half.csv.gz"),
    "`cifar10.npz`": Need("made of CIFAR-10"),
    "`cifar10_slice.npz`": from_data("cifar10_slice.npz"),
    "`NATS-tss-v1_0-3ffb9-simple`": Need("the official archives"),
    "`NATS-sss-v1_0-50262-simple`": Need("the official archives"),
    "`nas_ray[optuna]`": package("optuna"),
    "`nas_ray[export]`": package("onnxruntime"),
    "a network": Need("CIFAR-10 is downloaded"),
    "a GPU": Need("a CUDA device", lambda folder, data: torch.cuda.is_available()),
    "4 GPUs": Need("CUDA devices", lambda folder, data: torch.cuda.device_count() >= 4),
    "a cluster": Need(NEVER),
    "Slurm": Need(NEVER),
    "a storage": Need(NEVER),
    "a folder of Ray Tune": Need(NEVER),
    "a trained net": Need("nas-ray train", trained_net),
    "a trained net of a text": Need("nas-ray train --task text", trained_text),
    "pictures": Need("yours", pictures),
    "`trained.csv`": Need("made by long trainings"),
    "`scores.parquet`": Need("made by hours of score-space"),
    "`results.csv`": Need("yours", results),
}
"""Everything that a block may need, by the words of the documents."""


def missing(needs: tuple[str, ...], folder: Path, data: Path | None) -> list[str]:
    """Returns what of `needs` is not to be had, and puts the rest into `folder`."""
    unknown = [name for name in needs if name not in NEEDS]
    assert not unknown, f"{unknown[0]} is none of {', '.join(NEEDS)}"
    return [name for name in needs if not NEEDS[name].here(folder, data)]
