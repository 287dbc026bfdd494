"""Files that run a trained net without this package, checked against the net itself."""

from __future__ import annotations

import importlib.util
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nas_ray.errors import UsageError, unknown_name
from nas_ray.runs.folder import write_atomically
from nas_ray.training.trained import TrainedNet

NEEDS = {"onnx": ("onnx", "onnxscript", "onnxruntime"), "pt2": ()}
"""Packages that each format needs beside torch."""
TOLERANCE = 1e-4
"""Largest difference of a logit between a file and the net, absolute and relative to the logit."""
CHECKED_IMAGES = 5
FACTS = "facts.json"
"""Extra file of a torch.export archive: what the net is."""


def chosen_formats(asked: Sequence[str] | None) -> tuple[tuple[str, ...], dict[str, str]]:
    """Returns the formats to write, and for each of the others why it cannot be written here.

    Args:
        asked: names, `none`, or None for all that can be written.

    Raises:
        UsageError: unknown, or asked for and not possible.
    """
    names = [name for text in asked or () for name in text.replace(",", " ").split()]
    unknown = [name for name in names if name not in (*NEEDS, "none")]
    if unknown:
        raise UsageError(unknown_name("format", unknown[0], [*NEEDS, "none"]))
    left_out = {name: text for name in NEEDS if (text := _missing(name))}
    if asked is None:
        return tuple(name for name in NEEDS if name not in left_out), left_out
    for name in names:
        if name in left_out:
            raise UsageError(f"--formats {name} cannot be written here: {left_out[name]}")
    return tuple(name for name in NEEDS if name in names), {}


def _missing(name: str) -> str:
    absent = [package for package in NEEDS[name] if importlib.util.find_spec(package) is None]
    if not absent:
        return ""
    return f"{name} needs {', '.join(absent)}; install nas_ray[export]."


def write_onnx(net: TrainedNet, path: Path, images: Tensor) -> float:
    """Writes `net` as ONNX with any number of images and returns the largest difference of a logit.

    Args:
        net: on the CPU.
        path: file to write.
        images: `[B, 3, S, S]` to check with; the input is called `images`, the output `logits`.

    Raises:
        UsageError: onnxruntime gives other logits.
    """

    def write(temporary: Path) -> None:
        with quiet():
            torch.onnx.export(
                net,
                (images[:2],),
                temporary,
                input_names=["images"],
                output_names=["logits"],
                dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        _add_facts(net, temporary)

    write_atomically(path, write)
    return _difference(net, torch.from_numpy(run_onnx(path, images.numpy())), images, path)


def _add_facts(net: TrainedNet, path: Path) -> None:
    """Adds what the net is to an ONNX file: JSON by name, so that its outputs can be named anywhere."""
    import onnx

    model = onnx.load(path)
    values = {name: json.dumps(value, ensure_ascii=False) for name, value in asdict(net.facts).items()}
    onnx.helper.set_model_props(model, values)
    onnx.save(model, path)


def run_onnx(path: Path, images: np.ndarray) -> np.ndarray:
    """Returns the logits `[B, num_classes]` that onnxruntime computes for `images` `[B, 3, S, S]`."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"images": images})[0])


def write_pt2(net: TrainedNet, path: Path, images: Tensor) -> float:
    """Writes `net` by `torch.export` with any number of images and returns the largest difference of a logit.

    Raises:
        UsageError: the file gives other logits.
    """
    with quiet():
        shapes = ({0: torch.export.Dim("batch")},)
        program = torch.export.export(net, (images[:2],), dynamic_shapes=shapes)
        about = {FACTS: json.dumps(asdict(net.facts), ensure_ascii=False)}
        write_atomically(path, lambda temporary: torch.export.save(program, temporary, extra_files=about))
        with torch.no_grad():
            found: Tensor = torch.export.load(path).module()(images)
    return _difference(net, found, images, path)


def _difference(net: TrainedNet, found: Tensor, images: Tensor, path: Path) -> float:
    with torch.no_grad():
        expected = net(images)
    largest = float((found - expected).abs().max())
    if not torch.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE):
        raise UsageError(
            f"{path.name} must give the logits of the net, but differs by {largest:.2g}; report it with the "
            "versions in run.json."
        )
    return largest


@contextmanager
def quiet() -> Iterator[None]:
    """Silences the exporters, which report each step."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
