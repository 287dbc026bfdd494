"""Finds the arch of the whole space that FreeREA's score likes best, and proves that no other is better.

    python experiments/best_arch.py
    python experiments/best_arch.py --runs 30 --images cifar10 --benchmark nats_tss.csv.gz

The score is naswot + logsynflow + skip, each divided by its largest value. LogSynFlow is computed for all
archs, many as one batch; NASWOT only for those that could still win. It is no search, so nothing depends on
luck but weights and images, which every run draws anew.
"""

from __future__ import annotations

import sys

from nas_ray.best_arch.args import BestArgs
from nas_ray.terminal.cli import reported_errors
from nas_ray.terminal.command_line import read_args
from nas_ray.terminal.console import output


def main(args: BestArgs) -> int:
    from nas_ray.best_arch.run import run

    return run(args, output(piped=160))


if __name__ == "__main__":
    with reported_errors():
        sys.exit(main(read_args(BestArgs, __doc__)))
