"""Prints the table of `docs/performance.md` from files of `proxy_throughput.py`, a group of columns for each.

Where a file has SynFlow and NASWOT it also says how long the whole space takes by both, from these times.

python perf/processor_table.py runs/proxy_throughput.csv runs/proxy_throughput_avx2.csv
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import tyro

from nas_ray.spaces import NatsTss


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


def whole_space(file: Path, cores: int) -> str:
    """Returns the minutes of all archs by SynFlow and NASWOT on two cores; nothing without their times."""
    rows = pd.read_csv(file).query("cores == @cores").set_index("proxy")
    times = rows["batched"]
    if not {"synflow", "naswot"} <= set(times.index):
        return ""
    minutes = len(NatsTss()) * (times["synflow"] + times["naswot"]) / 1e3 / 60 / (2 / cores)
    return f"{minutes:.1f} minutes with {rows['processor'].iloc[0]}"


def main(args: Args) -> None:
    tables = [columns(file, args.cores) for file in args.files]
    heads = ["proxy", *(name for table in tables for name in table)]
    print("| " + " | ".join(heads) + " |")
    print("|---" * len(heads) + "|")
    for proxy in (name for name in tables[0].index if all(name in table.index for table in tables)):
        cells = [cell for table in tables for cell in table.loc[proxy]]
        print(f"| `{proxy}` | " + " | ".join(cells) + " |")
    known = [said for file in args.files if (said := whole_space(file, args.cores))]
    if known:
        print(f"The whole space by SynFlow and NASWOT on two cores: {', '.join(known)}.")


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
