"""Prints the table of `docs/performance.md` from files of `proxy_throughput.py`, a group of columns for each.

python perf/processor_table.py runs/proxy_throughput.csv runs/proxy_throughput_avx2.csv
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import tyro


@dataclasses.dataclass(frozen=True)
class Args:
    """What to read."""

    files: tyro.conf.Positional[tuple[Path, ...]]
    """CSV files, one for each kind of processor."""
    cores: int = 1
    """Rows of so many cores."""


def columns(file: Path, cores: int) -> pd.DataFrame:
    """Returns the columns of one file, by proxy."""
    rows = pd.read_csv(file).query("cores == @cores").set_index("proxy")
    kind = rows["processor"].iloc[0]
    times = {"one net": "plain", "alone": "alone", "batched": "batched"}
    made = {f"{kind}: usual way, ms": rows["reference"].map("{:.0f}".format)}
    for title, name in times.items():
        ratios = rows["reference"] / rows[name]
        made[f"{title}, times"] = ratios.map("{:.1f}".format)
    return pd.DataFrame(made)


def main(args: Args) -> None:
    tables = [columns(file, args.cores) for file in args.files]
    heads = ["proxy", *(name for table in tables for name in table)]
    print("| " + " | ".join(heads) + " |")
    print("|---" * len(heads) + "|")
    for proxy in (name for name in tables[0].index if all(name in table.index for table in tables)):
        cells = [cell for table in tables for cell in table.loc[proxy]]
        print(f"| `{proxy}` | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
