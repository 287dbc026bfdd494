"""The tables of a training on a text: a row per net, and a row per arch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from rich.console import Console

from nas_ray.report.intervals import Interval, over_seeds, paired
from nas_ray.terminal.text import markdown_table
from nas_ray.text.corpus import Corpus
from nas_ray.train.beside import Candidate
from nas_ray.train.shown import interval_cell, interval_columns, print_table
from nas_ray.training.language_training import perplexity

HEADS = ("arch", "params, M", "held-out perplexity", "test perplexity")


def perplexities(nats: Sequence[float]) -> Interval:
    """Returns the perplexity of the mean nats, with the ends of their t interval as perplexities.

    Nats are what is averaged over tokens. A t interval knows no bounds, and none can be below 0.
    """
    over = over_seeds(nats)
    nats_at = (over.mean, over.low, over.high)
    ends = (value if math.isnan(value) else perplexity(max(0.0, value)) for value in nats_at)
    return Interval(*ends)


def with_perplexities(curve: pd.DataFrame) -> pd.DataFrame:
    """Returns a curve with the perplexities of its nats, of the training text as well."""
    parts = [name.removesuffix("_nats") for name in map(str, curve) if name.endswith("_nats")]
    return curve.assign(**{f"{part}_perplexity": curve[f"{part}_nats"].map(perplexity) for part in parts})


def summary_table(results: pd.DataFrame, candidates: list[Candidate]) -> pd.DataFrame:
    """Returns a row per arch, the first is the arch that was asked for.

    Columns: `label`, `arch`, `params`, `seeds`, `valid_perplexity` and `test_perplexity`, of the mean nats
    over seeds with the ends of their t interval, and `behind`, by how much the test perplexity of the first
    arch is lower, the mean difference seed by seed with its t interval.
    """
    first = results[results["label"] == candidates[0].label]["test_perplexity"].tolist()
    rows = []
    for place, candidate in enumerate(candidates):
        own = results[results["label"] == candidate.label]
        valid, test = (perplexities(own[f"{part}_nats"].tolist()) for part in ("valid", "test"))
        behind = paired(own["test_perplexity"].tolist(), first) if place else None
        rows.append(
            {
                "label": candidate.label,
                "arch": candidate.arch,
                "params": candidate.params,
                "seeds": len(own),
                **interval_columns("valid_perplexity", valid),
                **interval_columns("test_perplexity", test),
                **interval_columns("behind", behind),
            }
        )
    return pd.DataFrame(rows)


def shown_rows(summary: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Returns heads and cells of the summary as text."""
    heads = [*HEADS, f"{summary['label'].iloc[0]} is lower by"]
    return heads, [
        [
            str(row["label"]),
            f"{row['params'] / 1e6:.3g}",
            *(interval_cell(row, name) for name in ("valid_perplexity", "test_perplexity", "behind")),
        ]
        for row in summary.to_dict("records")
    ]


def of_unknown(corpus: Corpus) -> str:
    """Returns in a sentence how many words of the test text no net of it knows."""
    count, among = corpus.vocabulary.unknown(corpus.test), len(corpus.test)
    return (
        f"Unknown are {count:,} of {among:,} tokens of the test text ({count / among:.1%}); a perplexity "
        "counts them as one word, <unk>."
    )


def print_rows(summary: pd.DataFrame, console: Console) -> None:
    """Prints the summary."""
    print_table(*shown_rows(summary), console)


def to_markdown(summary: pd.DataFrame) -> list[str]:
    """Returns the lines of the summary as a Markdown table."""
    return markdown_table(*shown_rows(summary))
