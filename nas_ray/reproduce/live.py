"""Live runs of a table: real nets, scored in real Ray Tune trials, as many as the time allows."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from nas_ray.drivers.lifecycle import begin_ray
from nas_ray.drivers.resources import Plan, Request, check_request
from nas_ray.drivers.tune_search import tune_search
from nas_ray.errors import UsageError
from nas_ray.evaluation.base import placed
from nas_ray.evaluation.proxy_scores import ProxyScores
from nas_ray.images.identity import IMAGES, check_unchanged
from nas_ray.images.image_args import open_image_args
from nas_ray.images.image_data import ImageDataModule
from nas_ray.proxies import PROXIES
from nas_ray.proxies.undefined import check_defined
from nas_ray.reproduce.args import ReproduceArgs, RunsArgs
from nas_ray.reproduce.known import Known
from nas_ray.reproduce.measures import scores_for
from nas_ray.reproduce.runs import Runner, Runs, joined, new_searcher, run_seed
from nas_ray.reproduce.tables import Setting, Table
from nas_ray.runs.folder import FILE_NAME, JOURNAL, create_run, read_run, update_run
from nas_ray.runs.journal import Journal
from nas_ray.runs.writing import write_parquet
from nas_ray.safe_files.stored_numbers import with_numbers
from nas_ray.safe_files.tables import read_table
from nas_ray.shared_weights.chunk_scores import ChunkScores
from nas_ray.spaces.nats_tss import NatsTss
from nas_ray.terminal.console import error_console, say
from nas_ray.terminal.ranges import check_ranges

FEWEST = 2
"""Runs of a row, whatever the time: a spread needs two."""


@dataclass(frozen=True)
class LiveRuns:
    """What live runs are made of.

    Attributes:
        args: from the command line.
        images: of the first run; the others draw their own minibatch from the same source.
        rows: settings that share the time.
    """

    args: ReproduceArgs
    images: ImageDataModule
    rows: int

    @classmethod
    def of(cls, args: RunsArgs, tables: Sequence[Table]) -> LiveRuns | None:
        """Returns the live runs that `args` ask for, None for stored scores.

        Raises:
            UsageError: a table without proxies, a number out of range, or images that cannot be used.
        """
        if not isinstance(args, ReproduceArgs):
            return None
        check_ranges(args)
        check_used(args)
        if args.scores != "live":
            return None
        unfit = [table.name for table in tables if not table.settings or table.trained]
        if unfit:
            raise UsageError(
                f"--scores live needs tables of searches by proxies and test accuracy, got {unfit[0]}; leave "
                "--scores out."
            )
        check_request(Request(args.num_cpus))
        images = minibatch(args, 0)
        wanted = {name for table in tables for setting in table.settings for name in scores_for(setting.by)}
        check_defined(
            {name: PROXIES[name] for name in sorted(wanted & PROXIES.keys())},
            images.minibatch()[1],
            images.num_classes,
        )
        return cls(args, images, sum(len(table.settings) for table in tables))

    @property
    def notes(self) -> list[str]:
        """What must be said of live runs."""
        args = self.args
        chunk = f", up to {args.archs_per_trial} archs per trial" if args.archs_per_trial > 1 else ""
        return [
            f"Scores are live: every run has its own weights (torch's default initialisation, nets for "
            f"{args.dataset}) and its own {args.batch_size} images ({self.images.description}){chunk}. One "
            "run is reported on all three datasets. Seconds are those of computing the scores, summed over "
            "workers.",
            *([self.images.note] if self.images.note else []),
        ]

    @contextmanager
    def runner(self, known: Known, out: Path, console: Console) -> Iterator[Runner]:
        """Gives what makes the runs of a row; Ray is started, and stopped by whoever guards the run.

        Raises:
            UsageError: `out` holds runs of other settings.
        """
        check_folder(out / "live", self._identity)
        plan = begin_ray(Request(self.args.num_cpus), error_console())
        share = self.args.time_budget_s / self.rows
        say(
            console,
            f"Live runs: {plan.where}; {share:.0f} s for each of {self.rows} rows, and at least {FEWEST} "
            "runs each, however long they take.",
        )
        yield lambda setting, seeds, told: self._runs(known, setting, seeds, told, out / "live", plan)

    @property
    def _identity(self) -> dict[str, Any]:
        args = self.args
        return {
            "images": self.images.source,
            "dataset": args.dataset,
            "batch_size": args.batch_size,
            "archs_per_trial": args.archs_per_trial,
            IMAGES: self.images.sha256,
        }

    def _runs(
        self,
        known: Known,
        setting: Setting,
        seeds: int,
        told: Callable[[int], None],
        folder: Path,
        plan: Plan,
    ) -> Runs:
        deadline = time.monotonic() + self.args.time_budget_s / self.rows
        made: list[Runs] = []
        for seed in range(seeds):
            if len(made) >= FEWEST and time.monotonic() > deadline:
                break
            made.append(
                run_seed(known, setting, seed, lambda *run: self._search(*run, folder=folder, plan=plan))
            )
            told(1)
        return joined(made)

    def _search(
        self, known: Known, setting: Setting, dataset: str, seed: int, *, folder: Path, plan: Plan
    ) -> pd.DataFrame:
        """Returns the rows of one search: those in its file, else it is run."""
        path = folder / slug(setting.title) / f"{seed}.parquet"
        if path.is_file() and (known_rows := read_rows(path)) is not None:
            return known_rows
        work = path.with_suffix("")
        shutil.rmtree(work, ignore_errors=True)  # of a run that was interrupted
        work.mkdir(parents=True)
        with contextlib.closing(Journal(work / JOURNAL)) as journal:
            rows = tune_search(
                new_searcher(known, setting, seed),
                placed(self._evaluator(setting, seed), plan.accelerator, None),
                folder=work,
                journal=journal,
                num_samples=setting.evaluations,
                seconds=setting.seconds,
                max_concurrent=plan.max_concurrent,
                archs_per_trial=self.args.archs_per_trial,
                cpus_per_trial=plan.cpus_per_trial,
                gpus_per_trial=plan.gpus_per_trial,
            )
        write_parquet(path, rows)
        shutil.rmtree(work, ignore_errors=True)
        return rows

    def _evaluator(self, setting: Setting, seed: int) -> ProxyScores | ChunkScores:
        images = minibatch(self.args, seed)
        inputs, targets = (tensor.numpy() for tensor in images.minibatch())
        names = dict.fromkeys((*scores_for(setting.by), *(["skip"] if setting.by == "freerea" else [])))
        proxies = {name: PROXIES[name] for name in names}
        kind = ChunkScores if self.args.archs_per_trial > 1 else ProxyScores
        return kind(NatsTss(), images.num_classes, inputs, targets, proxies, init_seed=seed)


def read_rows(path: Path) -> pd.DataFrame | None:
    """Returns the rows of a finished run; None for a damaged file, whose run is made again.

    Raises:
        UsageError: it holds text where a number must be, so that it was changed.
    """
    try:
        rows = read_table(path)
    except Exception:  # pyarrow's errors have no common type
        return None
    return with_numbers(rows, f"the table {path}")


def minibatch(args: ReproduceArgs, seed: int) -> ImageDataModule:
    """Returns the images of the run with `seed`."""
    images = open_image_args(args, batch_size=args.batch_size, batch_seed=seed)
    images.minibatch()  # told here if there are too few different images
    return images


LIVE_ONLY = ("time_budget_s", "images", "dataset", "batch_size", "archs_per_trial")


def check_used(args: ReproduceArgs) -> None:
    """Checks that no argument is given that the mode does not use.

    Raises:
        UsageError: one is.
    """
    defaults = ReproduceArgs()
    for name in LIVE_ONLY if args.scores == "stored" else ():
        if getattr(args, name) != getattr(defaults, name):
            raise UsageError(f"--{name.replace('_', '-')} needs --scores live; add it, or leave it out.")
    if args.scores == "live" and args.scores_file:
        raise UsageError("--scores live computes its scores, so that --scores-file has no use; leave it out.")


def check_folder(out: Path, identity: dict[str, Any]) -> None:
    """Notes what the runs in `out` are made of, or compares it with what is noted.

    Raises:
        UsageError: they differ.
    """
    if not (out / FILE_NAME).is_file():
        create_run(out, {"experiment": "reproduce", **identity})
        return
    held = read_run(out)
    different = [name for name in identity if name != IMAGES and held.get(name) != identity[name]]
    if different:
        name = different[0]
        raise UsageError(
            f"The folder {out} holds live runs with {name} {held.get(name)}, but now it is {identity[name]}; "
            "choose another --out."
        )
    if IMAGES in identity:
        check_unchanged(held, {IMAGES: identity[IMAGES]}, f"The folder {out}", "choose another --out")
        update_run(out, **{IMAGES: identity[IMAGES]})  # which a run of an earlier version did not note


def slug(title: str) -> str:
    """Returns a title as the name of a folder."""
    return re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-").lower()
