"""Scores archs with zero-cost proxies, trains the best for an epoch, and the best of those for longer.

Every rung trains fewer archs for more epochs, each from where the rung before left it; the table at the end
has the accuracy of all rungs.

    python experiments/two_stage.py --num-samples 200 --keep 16 --rungs 1,4,12
    python experiments/two_stage.py --searcher rea --weight 0.5 --fidelity nats-12:batch_size=128
"""

from __future__ import annotations

import sys

from nas_ray.search.arguments import parse
from nas_ray.search.two_stage_args import TwoStageArgs
from nas_ray.terminal.cli import reported_errors
from nas_ray.terminal.console import output


def main() -> int:
    args = parse(TwoStageArgs, "two_stage", __doc__ or "")
    from nas_ray.search.two_stage import run  # torch, Ray and Lightning take seconds

    return run(args, output())


if __name__ == "__main__":
    with reported_errors():
        sys.exit(main())
