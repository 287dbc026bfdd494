"""Scores: the device against the CPU, what precision does to ranks, and the whole space."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.stats import spearmanr

from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.process.full_float32 import full_float32
from nas_ray.proxies import PROXIES, of_space
from nas_ray.rows import UNDEFINED
from nas_ray.shared_weights import BATCHED
from nas_ray.shared_weights.scorer import ChunkScorer
from nas_ray.shared_weights.supernet import Supernet
from nas_ray.spaces import NatsTss
from nas_ray.spaces.choice import choose_archs

from .setup import CLASSES, MIB, Row, Setup, command

FOUR = ("synflow", "naswot", "jacob_cov", "grad_norm")
"""What the whole space is scored by."""
RANKED = ("synflow", "naswot", "snip", "grad_norm", "fisher", "jacob_cov", "swap", "zico")


def proxies(setup: Setup) -> Iterator[Row | str]:
    """Every proxy on small nets, on the device and on the CPU.

    Raises:
        RuntimeError: a proxy failed.
    """
    began, space = time.monotonic(), NatsTss(4, 1)
    known = {name: PROXIES[name] for name in of_space(PROXIES, space.name)}
    inputs = setup.batch(20, 20)[0].numpy()
    targets = np.arange(len(inputs)) % CLASSES  # all classes, and equal on both is what is asked
    found: dict[str, list[dict[str, float]]] = {"cpu": [], setup.accelerator: []}
    places = ("cpu", setup.accelerator) if setup.gpu else ("cpu",)
    scorers = {
        place: ProxyScores(space, CLASSES, inputs, targets, known, accelerator=place, timed=True)
        for place in places
    }
    for arch in choose_archs(space, setup.some(40, 3), seed=0):
        if time.monotonic() - began > 0.8 * setup.seconds:
            break
        for place, scorer in scorers.items():
            scorer(arch, found[place].append)
    here, there = pd.DataFrame(found["cpu"]), pd.DataFrame(found[setup.accelerator])
    for name in known:
        one, other = here[name].to_numpy(float), there[name].to_numpy(float)
        both = np.isfinite(one) & np.isfinite(other)
        apart = np.abs(one - other)[both] / np.maximum(np.abs(one[both]), 1e-12)
        yield {
            "proxy": name,
            "archs": int(both.sum()),
            "finite on one alone": int((np.isfinite(one) != np.isfinite(other)).sum()),
            "largest relative difference": float(apart.max()) if len(apart) else float("nan"),
            "median": float(np.median(apart)) if len(apart) else float("nan"),
            "Spearman": rank_correlation(one[both], other[both]),
            "ms on CPU": 1e3 * float(here[f"{name}_seconds"].median()),
            "ms on device": 1e3 * float(there[f"{name}_seconds"].median()),
        }
    kinds = sorted({str(kind) for rows in found.values() for row in rows if (kind := row.get("error_kind"))})
    yield f"Kinds of failures in rows: {', '.join(kinds) or 'none'}."
    if set(kinds) - {UNDEFINED}:
        said = [row["error"] for row in (*found["cpu"], *found[setup.accelerator]) if row["error"]]
        raise RuntimeError(f"Every proxy must score every net, but: {said[0]}")


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Returns Spearman's correlation; 1 where both are the same, NaN where one is constant."""
    if np.array_equal(one, other):
        return 1.0
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(spearmanr(one, other).statistic)


def precision(setup: Setup) -> Iterator[Row | str]:
    """What TF32, bfloat16 and the other memory layout do to ranks and times of batched proxies."""
    supernet = fresh_supernet(setup)
    other_layout = copy.deepcopy(supernet).to(memory_format=torch.contiguous_format)
    inputs, targets = (tensor.to(setup.device) for tensor in setup.batch())
    last = inputs.contiguous(memory_format=torch.channels_last)
    archs = choose_archs(supernet.space, setup.some(96, 6), seed=0)
    ways = {
        "float32": (supernet, last, True, False),
        "TF32": (supernet, last, False, False),
        "bfloat16": (supernet, last, True, True),
        "channels first": (other_layout, inputs, True, False),
    }
    for name in RANKED:
        scores, seconds = {}, {}
        for way, (net, images, full, half) in ways.items():
            with (
                full_float32() if full else nullcontext(),
                torch.autocast(setup.device, dtype=torch.bfloat16, enabled=half),
            ):
                BATCHED[name](net, archs[:2], images, targets)  # warms up
                start = time.perf_counter()
                scores[way] = BATCHED[name](net, archs, images, targets).cpu().numpy()
                seconds[way] = time.perf_counter() - start
        row: Row = {"proxy": name, "archs": len(archs), "ms per arch": 1e3 * seconds["float32"] / len(archs)}
        for way in list(ways)[1:]:
            both = np.isfinite(scores["float32"]) & np.isfinite(scores[way])
            row[f"{way}, Spearman"] = rank_correlation(scores["float32"][both], scores[way][both])
            row[f"{way}, times faster"] = seconds["float32"] / seconds[way]
        yield row


def fresh_supernet(setup: Setup) -> Supernet:
    """Returns the supernet of seed 0 on the device."""
    torch.manual_seed(0)
    return Supernet(setup.space, CLASSES).to(setup.device)


def space(setup: Setup) -> Iterator[Row | str]:
    """Some chunks in this process, proxy by proxy, and the whole space by the command."""
    inputs, targets = (tensor.numpy() for tensor in setup.batch())
    archs = choose_archs(setup.space, setup.some(256, 6), seed=0)
    for names in (*((name,) for name in FOUR), FOUR):
        scorer = ChunkScorer(setup.space, CLASSES, inputs, targets, names, device=setup.device)
        scorer(archs[:2])
        if setup.gpu:
            torch.cuda.reset_peak_memory_stats()
        seconds = setup.timed(lambda scorer=scorer: scorer(archs))
        peak = torch.cuda.max_memory_allocated() / MIB if setup.gpu else float("nan")
        yield {"proxies": ", ".join(names), "archs": len(archs), "seconds": seconds,
               "archs/s": len(archs) / seconds, "peak MiB": peak, "by": "one process"}  # fmt: skip
    del scorer
    if setup.gpu:
        torch.cuda.empty_cache()
    out = setup.folder / "space"
    options = ["--proxies", ",".join(FOUR), "--images", setup.images, "--benchmark", setup.benchmark,
               "--out", str(out), "--resamples", "20", *setup.resources]  # fmt: skip
    options += ["--num-archs", "12", "--channels", "4", "--cells", "1", "--batch-size", "8"] * setup.tiny
    start = time.monotonic()
    with highest_use(setup) as use:
        try:
            command("score_space", options, 0.75 * setup.seconds)
        except TimeoutError as error:  # what was scored by then says how fast it is
            yield f"{error}."
    seconds, count = time.monotonic() - start, len(scored(out))
    yield {"proxies": ", ".join(FOUR), "archs": count, "seconds": seconds, "archs/s": count / seconds,
           "peak MiB": use[0], "by": "score_space.py, start included"}  # fmt: skip


def scored(folder: Path) -> set[str]:
    """Returns the archs in the tables of a folder of scores."""
    tables = (pd.read_parquet(path) for path in folder.rglob("*.parquet"))
    return {str(arch) for table in tables if "arch" in table for arch in table["arch"]}


@contextmanager
def highest_use(setup: Setup) -> Iterator[list[float]]:
    """Gives a list whose only value is the most MiB of the GPU that were in use meanwhile, by whomever."""
    highest, over = [float("nan")], threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            free, total = torch.cuda.mem_get_info()
            highest[0] = float(np.fmax(highest[0], (total - free) / MIB))

    if not setup.gpu:
        yield highest
        return
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield highest
    finally:
        over.set()
        watcher.join()
