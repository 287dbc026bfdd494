"""Scores a whole space, or a list of archs, on all cores and GPUs: workers that live long and take chunks.

    python experiments/score_space.py --proxies synflow jacob_cov --out runs/space
    python experiments/score_space.py --archs mine.txt --proxies snip --benchmark none --out runs/mine
    python experiments/score_space.py --num-archs 1000 --address auto --out runs/sample

Every finished chunk is a Parquet file, so the same command goes on where it was stopped, by Ctrl-C, SIGKILL
or a power cut, and with one more proxy it computes that one alone. A worker that dies is replaced. At the end
the folder holds scores.parquet and scores.csv, the best archs, the correlation with the benchmark, and a
picture.

Proxies need a batched form here; experiments/correlate.py scores any proxy, one net at a time.
"""

from __future__ import annotations

import sys

from nas_ray.score_space.args import ScoreArgs
from nas_ray.terminal.cli import reported_errors
from nas_ray.terminal.command_line import read_args
from nas_ray.terminal.console import output


def main(args: ScoreArgs) -> int:
    from nas_ray.score_space.run import run

    return run(args, output(piped=160))


if __name__ == "__main__":
    with reported_errors():
        sys.exit(main(read_args(ScoreArgs, __doc__)))
