"""Runs published tables again on stored scores: our figures beside theirs, and whether they agree.

    python experiments/reproduce.py --list
    python experiments/reproduce.py 12000s --benchmark nats_tss.csv.gz
    python experiments/reproduce.py skips-rules --benchmark nats_tss.csv.gz --scores-file scores.parquet
    python experiments/reproduce.py all --seeds 300 --benchmark nats_tss.csv.gz --scores-file scores.parquet

Every row of a table is a search that is run with many seeds in this machine's processes, on a table of
accuracy (docs/benchmarks.md) and a table of scores that experiments/score_space.py wrote. The folder holds
each table as CSV and Markdown, every single run, and a picture.
"""

from __future__ import annotations

import sys

from nas_ray.reproduce.args import ReproduceArgs
from nas_ray.reproduce.catalogue import TABLES, chosen
from nas_ray.terminal.cli import reported_errors
from nas_ray.terminal.command_line import read_args
from nas_ray.terminal.console import output, say


def main(args: ReproduceArgs) -> int:
    console = output(piped=200)
    if args.show_list:
        width = max(map(len, TABLES))
        for table in TABLES.values():
            say(console, f"{table.name:{width}}  {table.title}")
        return 0
    tables = chosen(args.table)
    from nas_ray.reproduce.run import run  # torch and Ray take seconds

    return run(args, tables, console)


if __name__ == "__main__":
    with reported_errors():
        sys.exit(main(read_args(ReproduceArgs, __doc__)))
