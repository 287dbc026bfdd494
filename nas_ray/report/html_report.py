"""One self-contained HTML page about one run or several."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from nas_ray.errors import UsageError
from nas_ray.images.datasets import DATASETS
from nas_ray.report.accuracies import Accuracies
from nas_ray.report.cost import with_costs
from nas_ray.report.facts import differences
from nas_ray.report.kinds import kinds_of
from nas_ray.report.read_runs import read_runs
from nas_ray.report.read_tuned import Judged, read_tuned
from nas_ray.report.run_data import RunData
from nas_ray.report.sections import Section, sections_of
from nas_ray.runs.folder import check_local
from nas_ray.runs.kinds import check_reportable, is_tuned, page_beside
from nas_ray.runs.writing import write_text
from nas_ray.spaces.settings import space_name

TEMPLATES = Path(__file__).parent / "page"
FILE_NAME = "report.html"


def write_report(
    folders: Sequence[Path],
    out: Path | None = None,
    benchmark: str | None = None,
    judged: Judged | None = None,
) -> Path:
    """Writes the page about the runs in `folders` and returns its path.

    Args:
        folders: of runs; one that is named twice counts once. A folder of `correlate.py` counts as one run
            per dataset. The folder of a `Tuner` of Ray, or a table of its results, counts as a run as well.
        out: file to write; None means `report.html` in the only folder, or a page beside the only table.
        benchmark: source of accuracy instead of the runs' own.
        judged: how the trials of a Tuner, or the rows of a table, are judged.

    Raises:
        UsageError: no run, a folder that is none or is damaged, several runs without `out`, or a file that
            cannot be written.
    """
    folders = list({folder.resolve(): folder for folder in reversed(folders)}.values())[::-1]
    path = _target(folders, out)
    accuracies = Accuracies(benchmark)
    runs = [_with_costs(run) for folder in folders for run in _read(folder, accuracies, judged)]
    page = render(_named(runs))
    try:
        write_text(path, page)
    except OSError as error:
        raise UsageError(
            f"The report {path} must be writable, but: {error}; choose another --out."
        ) from error
    return path


def _read(folder: Path, accuracies: Accuracies, judged: Judged | None) -> list[RunData]:
    tuned = is_tuned(folder)
    return [read_tuned(folder, accuracies, judged or Judged())] if tuned else read_runs(folder, accuracies)


def _target(folders: Sequence[Path], out: Path | None) -> Path:
    if not folders:
        raise UsageError("A report needs at least one run folder; name one.")
    for place in (*folders, *([out] if out else [])):
        check_local(place)
    if out is None and len(folders) > 1:
        raise UsageError(f"A report on {len(folders)} runs needs a file to write; add --out FILE.html.")
    if out is not None and out.is_dir():
        raise UsageError(
            f"--out must be a file to write, and {out} is a folder; add a name such as {FILE_NAME}."
        )
    if out is None:
        check_reportable(folders[0])
    path = out or page_beside(folders[0], FILE_NAME)
    if path.exists() and not _is_page(path):
        raise UsageError(f"{path} is no report, and a report would replace it; choose another --out.")
    if not path.parent.is_dir():
        raise UsageError(
            f"The folder {path.parent} for the report must exist; make it or choose another --out."
        )
    return path


def _is_page(path: Path) -> bool:
    """Returns whether `path` is a regular file that begins as an HTML page does, or is empty."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(64).lstrip().lower()
    return not start or start.startswith((b"<!doctype html", b"<html"))


def _with_costs(run: RunData) -> RunData:
    if space_name(run.space) != "nats-tss" or run.dataset not in DATASETS:
        return run
    width = {name: value for name in ("channels", "cells") if isinstance(value := run.info.get(name), int)}
    return dataclasses.replace(run, rows=with_costs(run.rows, DATASETS[run.dataset], **width))


def _named(runs: Sequence[RunData]) -> list[RunData]:
    """Returns the runs with names that tell them apart: where they share one, with their folders."""
    names = [run.name for run in runs]
    return [
        dataclasses.replace(run, name=_long_name(run)) if names.count(run.name) > 1 else run for run in runs
    ]


def _long_name(run: RunData) -> str:
    """Returns the name of a run with its folder."""
    folder = run.folder.resolve()
    return (
        f"{folder.parent}/{run.name}" if run.name.startswith(folder.name) else f"{run.name} ({folder.name})"
    )


def render(runs: Sequence[RunData]) -> str:
    """Returns the page about `runs`, at least one."""
    kinds = kinds_of(runs)
    sections, rows = sections_of(runs, kinds)
    one = len(runs) == 1
    first = runs[0]
    named = first.name.startswith(first.experiment)
    title = (
        (first.name if named else f"{first.experiment}: {first.name}")
        if one
        else f"Comparison of {len(runs)} runs"
    )
    total = sum(len(run.rows) for run in runs)
    return page_of(
        title,
        f"{total:,} rows; report made by nas_ray",
        [*differences(runs), *dict.fromkeys(_notes(runs))],
        sections,
        rows,
    )


def page_of(
    title: str, said: str, notes: Sequence[str], sections: Sequence[Section], rows: dict[str, list[Any]]
) -> str:
    """Returns a self-contained page.

    Args:
        title: plain text, as all that follows.
        said: below it, before the time.
        notes: what a reader should know first.
        sections: of the page; one has the columns of `rows`.
        rows: the table to sort and search, as plain data.
    """
    from plotly.offline import get_plotlyjs

    made = datetime.now(timezone.utc).isoformat(sep=" ", timespec="minutes").removesuffix("+00:00")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        title=title,
        subtitle=f"{said} on {made} UTC.",
        notes=notes,
        sections=sections,
        rows=rows,
        texts=("run", "arch", "found", "error", "error_kind"),
        css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),
        js=Markup((TEMPLATES / "page.js").read_text(encoding="utf-8")),
        plotly=Markup(get_plotlyjs()),
    )


def _notes(runs: Sequence[RunData]) -> Iterator[str]:
    """Yields the notes of runs, beside others with the name of the run that they are about."""
    for run in runs:
        alone = len(runs) == 1
        yield from (note if alone or run.name in note else f"{run.name}: {note}" for note in run.notes)
