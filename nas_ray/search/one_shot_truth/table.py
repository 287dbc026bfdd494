"""How often each method found what is right: the counts, their intervals, and the table that is printed."""

from __future__ import annotations

import pandas as pd
from rich.console import Console
from scipy import stats

from nas_ray.errors import UsageError
from nas_ray.search.one_shot_truth.args import TruthArgs
from nas_ray.search.one_shot_truth.one_edge import RIGHT, SHORTCUT
from nas_ray.search.one_shot_truth.searching import DIVERGED
from nas_ray.shared_weights.methods import parse_method
from nas_ray.terminal.console import Rows, put, say

CONFIDENCE = 0.95


def completed(text: str, args: TruthArgs) -> str:
    """Returns a method with learning rates, which searches of so few steps need.

    Raises:
        UsageError: no method, or one that the width does not suit.
    """
    given = [part.partition("=")[0].strip() for part in text.split(",")]
    rates = {"lr": args.lr, "arch_lr": args.arch_lr}
    method = ",".join([text, *(f"{name}={rate:g}" for name, rate in rates.items() if name not in given)])
    made, settings = parse_method(method)
    if settings.keys() - {"batch_size", "epochs"} or {"batch_size", "epochs"} & set(given):
        raise UsageError(
            f"The method {text} must leave seeds and sizes to --seeds, --steps, --batch-size and --channels."
        )
    if args.channels % made.partial or made.stages != "none":
        raise UsageError(
            f"The method {text} must work on a net of one edge: without stages, and with channels that its "
            f"partial channels divide, got {args.channels} and {made.partial}."
        )
    return method


def how_often(searches: pd.DataFrame) -> pd.DataFrame:
    """Returns for each method and strength how often it found what is right, and the shortcut, in percent.

    `right_low` and `right_high` are Wilson's interval over the searches.
    """
    rows = []
    for (method, shortcut), own in searches.groupby(["method", "shortcut"], sort=False):
        count, right = len(own), int((own["arch"] == RIGHT).sum())
        ends = stats.binomtest(right, count).proportion_ci(CONFIDENCE, method="wilson")
        rows.append(
            {
                "method": method,
                "shortcut": shortcut,
                "searches": count,
                "right": 100 * right / count,
                "right_low": 100 * float(ends.low),
                "right_high": 100 * float(ends.high),
                "took_shortcut": 100 * float((own["arch"] == SHORTCUT).mean()),
                "diverged": 100 * float((own["arch"] == DIVERGED).mean()),
                "supernet_acc": float(own["supernet_acc"].mean()),
                "seconds": float(own["seconds"].mean()),
            }
        )
    return pd.DataFrame(rows)


def show(found: pd.DataFrame, args: TruthArgs, console: Console) -> None:
    """Prints how often each method found what is right, a column for each strength of the shortcut."""
    title = f"Right operation, % of {args.seeds} (95 %)"
    table = Rows("method", *(f"shortcut {shortcut:g}" for shortcut in args.strengths), title=title)
    for text in args.methods:
        cells = []
        for shortcut in args.strengths:
            own = found[(found["method"] == completed(text, args)) & (found["shortcut"] == shortcut)].iloc[0]
            cells.append(f"{own['right']:.0f} ({own['right_low']:.0f} to {own['right_high']:.0f})")
        table.add_row(text, *cells)
    put(console, table)
    if lost := int((found["diverged"] * found["searches"] / 100).round().sum()):
        say(console, f"{lost} searches diverged and count as wrong; lower --lr.", "bold red", wrapped=True)
    say(
        console,
        f"Right is {RIGHT}, which tells the classes apart always; {SHORTCUT} does as often as the shortcut "
        "is right. A guess is right in 20 % of the searches.",
        wrapped=True,
    )
