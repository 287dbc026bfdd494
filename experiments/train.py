"""Trains the best arch of a search to the end, exports the net, and shows other nets beside it.

    python experiments/train.py runs/rea-cifar10-20250101-120000
    python experiments/train.py runs/rea-own-20250101-120000 --recipe epochs:8 --beside resnet-20 random
    python experiments/train.py --arch resnet-20 --images folder:flowers --recipe nats-12:class_weights=true
    python experiments/train.py --resume runs/train-own-20250101-130000

The folder holds model.pt, model.onnx and model.pt2, model_card.md with accuracy and intervals, learning
curves, the confusion matrix, tables, and below nets/ the best and the last checkpoint of every net with its
TensorBoard and CSV logs. `nas_ray.load("model.pt")` gives the net back.
"""

from __future__ import annotations

import sys

from nas_ray.terminal.cli import reported_errors
from nas_ray.terminal.console import output
from nas_ray.train.args import TrainArgs, parse


def main(args: TrainArgs) -> int:
    from nas_ray.train.run import train  # torch and Lightning take seconds

    return train(args, output(piped=140))


if __name__ == "__main__":
    with reported_errors():
        sys.exit(main(parse(__doc__ or "")))
