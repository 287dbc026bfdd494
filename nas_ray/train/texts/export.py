"""A trained net of a text as ONNX and by `torch.export`: one step, with the state in and out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from nas_ray.errors import UsageError
from nas_ray.runs.folder import write_atomically
from nas_ray.train.export import FACTS, TOLERANCE, quiet
from nas_ray.training.recurrent import RecurrentNet, State
from nas_ray.training.trained_text import TrainedText

CHECKED_STEPS, CHECKED_TEXTS = 6, 3


class Step(nn.Module):
    """One step of a recurrent net: tokens `[B]` and state `-> logits [B, V]` and the next state."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, tokens: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Returns logits, and the state part by part."""
        assert isinstance(self.net, RecurrentNet)
        ran = self.net.run(tokens[:, None], state)
        return (ran.logits[:, 0], *ran.state)


def write_onnx(net: TrainedText, path: Path) -> float:
    """Writes one step of `net` for any number of texts and returns the largest difference of a logit.

    Inputs are `tokens` `[B]` int64 and `state_0`, `state_1`, ...; outputs are `logits` `[B, V]` and `next_0`,
    `next_1`, .... A text begins with the state that the property `begin` holds, a JSON list per part.

    Args:
        net: on the CPU, of a recurrent net.
        path: file to write.

    Raises:
        UsageError: onnxruntime gives other logits over some steps.
    """
    program, state = _exported(net)

    def write(temporary: Path) -> None:
        with quiet():
            torch.onnx.export(
                program,
                (),
                temporary,
                input_names=["tokens", *(f"state_{number}" for number in range(len(state)))],
                output_names=["logits", *(f"next_{number}" for number in range(len(state)))],
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        _add_facts(net, state, temporary)

    write_atomically(path, write)
    return _difference(net, path, run_onnx)


def write_pt2(net: TrainedText, path: Path) -> float:
    """Writes one step of `net` by `torch.export`, as `write_onnx` does, and returns the largest difference.

    Its extra file `facts.json` has what ONNX has as properties.

    Raises:
        UsageError: the file gives other logits over some steps.
    """
    program, state = _exported(net)
    about = {FACTS: json.dumps(_facts(net, state), ensure_ascii=False)}

    def write(temporary: Path) -> None:
        with quiet():
            torch.export.save(program, temporary, extra_files=about)

    write_atomically(path, write)
    return _difference(net, path, run_pt2)


WRITERS: Final[dict[str, Callable[[TrainedText, Path], float]]] = {"onnx": write_onnx, "pt2": write_pt2}


def _exported(net: TrainedText) -> tuple[torch.export.ExportedProgram, State]:
    """Returns one step as a program for any number of texts, and the state of two that have not begun."""
    inner = net.net.eval()
    assert isinstance(inner, RecurrentNet)
    state = tuple(part.clone() for part in inner.begin(2))  # parts that are one tensor would be one input
    batch = torch.export.Dim("batch")
    shapes = {"tokens": {0: batch}, "state": tuple({0: batch} for _ in state)}
    tokens = torch.zeros(2, dtype=torch.int64)
    with quiet(), torch.no_grad():
        return torch.export.export(Step(net.net), (tokens, *state), dynamic_shapes=shapes), state


def _facts(net: TrainedText, state: State) -> dict[str, object]:
    return {**asdict(net.facts), "begin": [part[0].tolist() for part in state]}


def _add_facts(net: TrainedText, state: State, path: Path) -> None:
    import onnx

    model = onnx.load(path)
    texts = {name: json.dumps(value, ensure_ascii=False) for name, value in _facts(net, state).items()}
    onnx.helper.set_model_props(model, texts)
    onnx.save(model, path)


def run_onnx(path: Path, tokens: np.ndarray) -> np.ndarray:
    """Returns the logits `[B, T, V]` that onnxruntime computes step by step for tokens `[B, T]`."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    begin = json.loads(session.get_modelmeta().custom_metadata_map["begin"])
    state = [np.repeat(np.array(part, np.float32)[None], len(tokens), 0) for part in begin]
    logits = []
    for column in tokens.T:
        given = {f"state_{number}": part for number, part in enumerate(state)}
        now, *state = session.run(None, {"tokens": column, **given})
        logits.append(now)
    return np.stack(logits, 1)


def run_pt2(path: Path, tokens: np.ndarray) -> np.ndarray:
    """Returns the logits `[B, T, V]` that the program computes step by step for tokens `[B, T]`."""
    about = {FACTS: ""}
    step = torch.export.load(path, extra_files=about).module()
    begin = [torch.tensor(part) for part in json.loads(about[FACTS])["begin"]]
    state = [part.expand(len(tokens), *part.shape) for part in begin]
    logits = []
    with torch.no_grad():
        for column in torch.from_numpy(tokens.T):
            now, *state = step(column, *state)
            logits.append(now)
    return torch.stack(logits, 1).numpy()


@torch.no_grad()
def _difference(net: TrainedText, path: Path, run: Callable[[Path, np.ndarray], np.ndarray]) -> float:
    generator = torch.Generator().manual_seed(0)
    words = len(net.facts.words)
    tokens = torch.randint(words, (CHECKED_TEXTS, CHECKED_STEPS), generator=generator)
    expected, found = net(tokens), torch.from_numpy(run(path, tokens.numpy()))
    largest = float((found - expected).abs().max())
    if not torch.allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE):
        raise UsageError(
            f"{path.name} must give the logits of the net, but differs by {largest:.2g}; report it with the "
            "versions in run.json."
        )
    return largest
