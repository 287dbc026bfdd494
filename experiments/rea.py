"""Regularized evolution (Real et al., AAAI 2019) on zero-cost proxies, with real accuracy at the end.

Without arguments it searches NATS-TSS for CIFAR-10 with NASWOT and SynFlow on all local cores: about 150
evaluations in one to three minutes, without network. The run folder holds every row, the best arch and
pictures.

    python experiments/rea.py --dataset cifar100 --proxies naswot --num-samples 300
    python experiments/rea.py --num-gpus 4 --gpus-per-trial 0.25
    python experiments/rea.py --resume runs/rea-cifar10-20250101-120000
"""

from __future__ import annotations

from nas_ray.search.arguments import ReaArgs
from nas_ray.search.cli import main

if __name__ == "__main__":
    main(ReaArgs, "rea", name="rea", description=__doc__)
