"""How well do proxies rank? Scores a set of archs and compares the scores with a benchmark on each dataset.

    python experiments/correlate.py --num-archs 1000 --out runs/correlate
    python experiments/correlate.py --proxies naswot synflow mine:depth --datasets cifar10 --num-archs 200
    python experiments/correlate.py --proxies naswot synflow --fitness rank_sum:naswot,synflow

The same command goes on where it was stopped, and with one more proxy it computes that one alone. The trivial
baselines params, flops and num_conv are always in the table.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

from nas_ray.correlate.args import CorrelateArgs
from nas_ray.terminal.cli import reported_errors
from nas_ray.terminal.command_line import read_args
from nas_ray.terminal.console import output


def main(args: CorrelateArgs) -> None:
    from nas_ray.correlate.run import compare_all  # torch, Ray and Lightning take seconds

    out = args.out or Path("runs") / f"correlate-{time.strftime('%Y%m%d-%H%M%S')}"
    console = output(piped=120)
    compare_all(**{**dataclasses.asdict(args), "out": out}, console=console)


if __name__ == "__main__":
    with reported_errors():
        main(read_args(CorrelateArgs, __doc__))
