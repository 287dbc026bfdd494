"""The commands that score archs and compare scores; the text of each function is what its `--help` says."""

from __future__ import annotations

from nas_ray.terminal.console import output


def score_space(description: str) -> int:
    """Scores a whole space, or a list of archs, on all cores and GPUs, by workers that live long.

        nas-ray score-space --proxies synflow jacob_cov --out runs/space
        nas-ray score-space --archs mine.txt --proxies snip --benchmark none --out runs/mine
        nas-ray score-space --num-archs 1000 --address auto --out runs/sample

    Workers take chunks, and every finished chunk is a Parquet file, so the same command goes on where it was
    stopped, by Ctrl-C, SIGKILL or a power cut, and with one more proxy it computes that one alone. A worker
    that dies is replaced. At the end the folder holds scores.parquet and scores.csv, the best archs, the
    correlation with the benchmark, and a picture.

    Proxies need a batched form here; correlate scores any proxy, one net at a time.
    """
    from nas_ray.commands.names import check_names
    from nas_ray.score_space.args import ScoreArgs
    from nas_ray.terminal.command_line import read_args

    args = read_args(ScoreArgs, description)
    check_names(args)
    from nas_ray.score_space.run import run  # torch and Ray take seconds

    return run(args, output(piped=160))


def correlate(description: str) -> int:
    """How well do proxies rank? Scores archs and compares the scores with a benchmark on each dataset.

        nas-ray correlate --num-archs 1000 --out runs/correlate
        nas-ray correlate --proxies naswot synflow mine:depth --datasets cifar10 --num-archs 200
        nas-ray correlate --proxies naswot synflow --fitness rank_sum:naswot,synflow

    The same command goes on where it was stopped, and with one more proxy it computes that one alone. The
    trivial baselines params, flops and num_conv are always in the table, live_ops or log_width where the
    space has them, and what each score says beyond the size of archs.
    """
    import dataclasses
    import time
    from pathlib import Path

    from nas_ray.commands.names import check_names
    from nas_ray.correlate.args import CorrelateArgs
    from nas_ray.terminal.command_line import read_args

    args = read_args(CorrelateArgs, description)
    check_names(args)
    from nas_ray.correlate.run import compare_all  # torch, Ray and Lightning take seconds

    out = args.out or Path("runs") / f"correlate-{time.strftime('%Y%m%d-%H%M%S')}"
    compare_all(**{**dataclasses.asdict(args), "out": out}, console=output(piped=160))
    return 0


def check_proxy(description: str) -> int:
    """What is wrong with a proxy? Tries it on many nets and minibatches, and says it in words, worst first.

        nas-ray check-proxy mine:depth
        nas-ray check-proxy naswot --space nats-sss --image-size 16 --num-archs 40
        nas-ray check-proxy mine:depth --benchmark nats_tss.csv.gz --out runs/depth

    The proxy is called in processes of their own some 180 times: on broken nets and images, with other
    weights, other images and the same images in another order, on small minibatches, in float64, and beside
    accuracy and parameters. Each check says fault, doubt, unknown, note or fine, and why. The folder holds
    check.html, a page with pictures, checks.csv and calls.csv. The exit code is 1 where there is a fault.
    """
    from nas_ray.commands.names import check_names
    from nas_ray.correlate.check_proxy.args import CheckProxyArgs
    from nas_ray.terminal.command_line import read_args

    args = read_args(CheckProxyArgs, description)
    check_names(args)
    args.check()
    from nas_ray.correlate.check_proxy.run import run  # torch and scipy take seconds

    return run(args, output(piped=160))


def compare_estimates(description: str) -> int:
    """What do cheap estimates say of longer trainings? Scores, a short training, and mixtures of both.

        nas-ray compare-estimates
        nas-ray compare-estimates --space darts-cells:channels=8,cells=3 --short epochs:2 --long epochs:20
        nas-ray compare-estimates --proxies lcmnas zico --weights 0.25,0.5,0.75 --max-flops 1e7

    Archs are drawn from a space. Each is scored at its beginning, trained for a short time and judged on
    held-out training images, and trained for longer from other weights and judged on the test images. The
    table has the rank correlation of every estimate with the longer training: of scores, of the short
    training, and of their mixtures as LCMNAS's released code adds them (raw) and as its paper describes them
    (standardised), with bootstrap intervals. The same command goes on where it was stopped.
    """
    from nas_ray.commands.names import check_names
    from nas_ray.correlate.estimates.args import EstimatesArgs
    from nas_ray.terminal.command_line import read_args

    args = read_args(EstimatesArgs, description)
    check_names(args)
    args.check()
    from nas_ray.correlate.estimates.run import run  # torch takes seconds

    return run(args, output(piped=160))


def best_arch(description: str) -> int:
    """Finds the arch of the whole space that FreeREA's score likes best, and proves that no other is better.

        nas-ray best-arch
        nas-ray best-arch --runs 30 --images cifar10 --benchmark nats_tss.csv.gz

    The score is naswot + logsynflow + skip, each divided by its largest value. LogSynFlow is computed for all
    archs, many as one batch; NASWOT only for those that could still win. It is no search, so nothing depends
    on luck but weights and images, which every run draws anew.
    """
    from nas_ray.best_arch.args import BestArgs
    from nas_ray.commands.names import check_names
    from nas_ray.terminal.command_line import read_args

    args = read_args(BestArgs, description)
    check_names(args)
    from nas_ray.best_arch.run import run  # torch and Ray take seconds

    return run(args, output(piped=160))
