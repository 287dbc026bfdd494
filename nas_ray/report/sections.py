"""The sections of a page, from runs to titles, figures and tables."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from nas_ray.report.cells import draw_cell, has_cell
from nas_ray.report.curve_panels import curve_panels
from nas_ray.report.facts import Fact, comparison, facts_of, flat, kind_table, number, shared
from nas_ray.report.front_panels import front_panels, front_table
from nas_ray.report.kinds import Kind
from nas_ray.report.one_shot_panels import one_shot_panels
from nas_ray.report.panels import KeyEntry, Panel, entry, numbered
from nas_ray.report.run_data import RunData
from nas_ray.report.score_panels import pareto_panels, rank_table, score_panels, skip_panels
from nas_ray.report.setting_panels import setting_panels
from nas_ray.report.standing import is_relative
from nas_ray.report.tables import PageTable, all_rows, page_table, top_table
from nas_ray.report.true_front import RULE
from nas_ray.report.truth import truth_panels, truth_table
from nas_ray.rows import final_arch

TOP = 10
"""Archs in the table of the best."""
CELLS = 6
"""Archs drawn of one run; of several, each run's best."""
MOST_CELLS = 12


@dataclass(frozen=True)
class CellDrawing:
    """The cell of one arch as a picture."""

    title: str
    svg: Markup
    caption: str


@dataclass(frozen=True)
class Section:
    """One section of the page; what is empty is not shown."""

    id: str
    title: str
    text: str = ""
    key: list[dict[str, str]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    tables: list[PageTable] = field(default_factory=list)
    panels: list[dict[str, Any]] = field(default_factory=list)
    cells: list[CellDrawing] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    infos: list[dict[str, Any]] = field(default_factory=list)


def sections_of(runs: Sequence[RunData], kinds: Sequence[Kind]) -> tuple[list[Section], dict[str, list[Any]]]:
    """Returns the sections of the page and the plain data of its table of all rows."""
    rows = all_rows(runs)
    about = "Everything that run.json says."
    infos = [
        {"name": f"{run.name}: run.json", "facts": flat(dict(run.info))} for run in _one_per_folder(runs)
    ]
    sections = [
        _summary(runs, kinds),
        _curves(kinds),
        *_scores(kinds),
        _panels_section("one-shot", "Course of the one-shot searches", one_shot_panels(runs)),
        _panels_section("recipe", "Settings beside the archs", setting_panels(runs)),
        _front(runs, kinds),
        _truth(kinds),
        _panels_section("pareto", "Accuracy against cost", pareto_panels(kinds)),
        _best(runs),
        _panels_section("skips", "Skip connections", skip_panels(kinds)),
        Section("all-rows", "All rows", _about_rows(len(runs)), columns=list(rows["columns"])),
        Section("settings", "Settings, versions, hardware", about, infos=infos),
    ]
    return [section for section in sections if section is not None], rows


def _summary(runs: Sequence[RunData], kinds: Sequence[Kind]) -> Section:
    if len(runs) == 1:
        return Section("summary", "Summary", facts=facts_of(runs[0]))
    key = [entry(KeyEntry(kind.label, kind.color, kind.dash)) for kind in kinds]
    text = (
        "Runs that differ in nothing but seeds are one kind and have one colour. Accuracies are in percent."
    )
    compared, same = shared(comparison(runs))
    tables = [page_table(kind_table(kinds)), page_table(compared)]
    return Section("summary", "Comparison", f"{text} {same}".strip(), key=key, tables=tables)


def _curves(kinds: Sequence[Kind]) -> Section | None:
    return _panels_section("curves", "Course of the search", curve_panels(kinds))


def _scores(kinds: Sequence[Kind]) -> list[Section]:
    ranks = rank_table(kinds)
    if not ranks["archs"].any():
        text = "No benchmark accuracy is known for these archs, so nothing says how the scores rank them."
        return [Section("scores", "Scores against accuracy", text)]
    several = any(len(kind.runs) > 1 for kind in kinds)
    text = "Rank correlation with accuracy over different archs; an undefined score counts as the worst. " + (
        "Medians over the runs of a kind. " if several else ""
    )
    text += "Fitness ranks what a search chose to evaluate, which is no random sample."
    shown = ranks.drop(columns="kind") if len(kinds) == 1 else ranks
    panels = numbered("score", score_panels(kinds, ranks))
    return [Section("scores", "Scores against accuracy", text, tables=[page_table(shown)], panels=panels)]


def _front(runs: Sequence[RunData], kinds: Sequence[Kind]) -> Section | None:
    panels = front_panels(kinds)
    if not panels:
        return None
    text = "The archs that no other beats in all objectives of the search."
    tables = [page_table(front_table(runs[0]))] if len(runs) == 1 else []
    return Section("front", "Front of the objectives", text, tables=tables, panels=numbered("front", panels))


def _truth(kinds: Sequence[Kind]) -> Section | None:
    panels = truth_panels(kinds)
    if not panels:
        return None
    text = (
        "The archs on the front of each search, by the accuracy of the benchmark and a cost, beside the "
        f"front of all archs. {RULE} Of several runs the table has medians."
    )
    return Section(
        "truth",
        "True front",
        text,
        tables=[page_table(truth_table(kinds))],
        panels=numbered("truth", panels),
    )


def _panels_section(name: str, title: str, panels: Sequence[Panel]) -> Section | None:
    return Section(name, title, panels=numbered(name, panels)) if panels else None


def _best(runs: Sequence[RunData]) -> Section | None:
    if len(runs) == 1:
        if runs[0].best_place is None:
            return None
        text = f"The fittest different archs, by {runs[0].fitness}."
        return Section(
            "best", "Best archs", text, tables=[top_table(runs[0], TOP)], cells=_cells(runs[0], CELLS)
        )
    cells = [drawing for run in runs[:MOST_CELLS] for drawing in _cells(run, 1)]
    text = "The fittest arch of each run" + (
        f", of the first {MOST_CELLS} runs." if len(runs) > MOST_CELLS else "."
    )
    return Section("best", "Best archs", text, cells=cells) if cells else None


def _cells(run: RunData, count: int) -> list[CellDrawing]:
    drawings = []
    for place, row in enumerate(run.top(count).to_dict("records"), 1):
        arch = final_arch(row)
        if not has_cell(arch):
            continue
        known = [f"{run.acc_column} {row['accuracy']:.2f} %"] if np.isfinite(row["accuracy"]) else []
        said = ", ".join(known + ([] if is_relative(run.fitness) else [f"fitness {number(row['fitness'])}"]))
        drawings.append(
            CellDrawing(f"{run.name}: best" if count == 1 else f"Place {place}", _svg(arch), said)
        )
    return drawings


def _svg(arch: str) -> Markup:
    """Returns the cell of an arch of NATS-TSS as SVG without a header or metadata."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cell.svg"
        draw_cell(arch, path)
        if not path.is_file():  # which has been told
            return Markup()
        text = path.read_text(encoding="utf-8")
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    return Markup(text)  # drawn here from operations that are known, so there is no foreign text in it


def _about_rows(count: int) -> str:
    first = "Every evaluation of every run. " if count > 1 else "Every row of the run. "
    return (
        first
        + "A click on a head sorts; a second one turns the order round. A print has the page that is shown."
    )


def _one_per_folder(runs: Sequence[RunData]) -> list[RunData]:
    return list({run.folder: run for run in runs}.values())
