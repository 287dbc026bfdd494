"""Compares searchers, yours among them, with many seeds on stored accuracies or scores, in seconds.

    python experiments/compare_searchers.py rea local_search --benchmark nats_tss.csv.gz
    python experiments/compare_searchers.py rea,population=20,sample=5 mine:Walk --workers 4 --benchmark t.csv
    python experiments/compare_searchers.py rea freerea --by rank_sum:naswot,synflow --scores-file s.parquet

Every searcher is run with the same budget and many seeds in this machine's processes, on a simulated clock.
The table has mean, deviation, median and interval on each dataset, and tests all against one of them; random
search always takes part. The folder holds the table, every single run, and a picture of the course.
"""

from __future__ import annotations

import sys

from nas_ray.reproduce.args import CompareArgs
from nas_ray.terminal.cli import reported_errors
from nas_ray.terminal.command_line import read_args
from nas_ray.terminal.console import output


def main(args: CompareArgs) -> int:
    from nas_ray.reproduce.compare import compare  # torch and Ray take seconds

    return compare(args, output(piped=200))


if __name__ == "__main__":
    with reported_errors():
        sys.exit(main(read_args(CompareArgs, __doc__)))
