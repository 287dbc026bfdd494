"""Chooses among many combinations of scores by validation accuracy, and tests the chosen one once.

    python experiments/choose_score.py --benchmark nats_tss.csv.gz --scores-file s0.parquet s1.parquet

Every combination of up to three scores, summed as normalised values, ranks or logarithms of ranks, with and
without a prior on skip connections, has an arch of the whole space that it likes best. The combination whose
arch has the best validation accuracy on CIFAR-10, averaged over the initialisations given, is chosen; test
accuracy is looked up for it alone. What is printed says how many were tried.
"""

from __future__ import annotations

import sys

from nas_ray.reproduce.args import ChooseArgs
from nas_ray.terminal.cli import reported_errors
from nas_ray.terminal.command_line import read_args
from nas_ray.terminal.console import output


def main(args: ChooseArgs) -> int:
    from nas_ray.reproduce.choose import choose  # torch takes seconds

    return choose(args, output(piped=160))


if __name__ == "__main__":
    with reported_errors():
        sys.exit(main(read_args(ChooseArgs, __doc__)))
