"""The commands that search; the text of each function is what its `--help` says."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from nas_ray.terminal.console import error_console, output

if TYPE_CHECKING:
    from nas_ray.search.arguments import SearchArgs
    from nas_ray.search.contest.args import StudyArgs


def random_search(description: str) -> int:
    """Random search on zero-cost proxies: the baseline for every other searcher.

    Archs are drawn uniformly, none twice; the best by fitness is reported with its real benchmark accuracy.

        nas-ray search random_search --num-samples 200 --proxies naswot
        nas-ray search random_search --time-budget-s 60 --dataset ImageNet16-120
    """
    from nas_ray.search.arguments import SearchArgs

    return _search(SearchArgs, "random_search", "random_search", description)


def rea(description: str) -> int:
    """Regularized evolution (Real et al., AAAI 2019) on zero-cost proxies, with real accuracy at the end.

    Without arguments it searches NATS-TSS for CIFAR-10 on all local cores, without network: 300 evaluations
    by the log rank sum of LogSynFlow and the span of skip connections (--fitness default, chosen in
    docs/default_fitness.md). The run folder holds every row, the best arch and pictures.

        nas-ray search rea --dataset cifar100 --proxies naswot --num-samples 300
        nas-ray search rea --num-gpus 4 --gpus-per-trial 0.25
        nas-ray search rea --resume runs/rea-cifar10-20250101-120000
    """
    from nas_ray.search.arguments import ReaArgs

    return _search(ReaArgs, "rea", "rea", description)


def skip_rea(description: str) -> int:
    """Regularized evolution inside a filter on the number of skip connections in the cell.

    Archs are generated and mutated only within --min-skips to --max-skips (default 0 to 1).

        nas-ray search skip_rea --proxies synflow --min-skips 1 --max-skips 6
    """
    from nas_ray.search.arguments import SkipReaArgs

    return _search(SkipReaArgs, "skip_rea", "skip_rea", description)


def reinforce(description: str) -> int:
    """REINFORCE: a policy draws archs and learns which decisions were rewarded (Zoph and Le, ICLR 2017).

    The policy is a softmax for each decision, as in NATS-Bench, or with --policy lstm the paper's net.

        nas-ray search reinforce --num-samples 300
        nas-ray search reinforce --policy lstm --reward cubed --fidelity fast --late correct
    """
    from nas_ray.search.reinforce_args import ReinforceArgs

    return _search(ReinforceArgs, "reinforce", "reinforce", description)


def pnas(description: str) -> int:
    """Progressive search (Liu et al., ECCV 2018): archs of one block, then larger ones that a net recommends.

    It evaluates all archs of one block, and then from stage to stage the --beam most promising ones with one
    block more, by a predictor that learns from every row. In nats-tss a block is a node of the cell.

        nas-ray search pnas --beam 32
        nas-ray search pnas --beam 16 --predictor lstm --proxies naswot --num-samples 100
    """
    from nas_ray.search.pnas_args import PnasArgs

    return _search(PnasArgs, "pnas", "pnas", description)


def search(description: str) -> int:
    """A search with any searcher at its own defaults: built in, of a package, or your own as module:class.

    Your own is a subclass of nas_ray.ArchSearcher with a method ask(), in a file in the working directory.

        nas-ray search --searcher nsga2 --num-samples 100
        nas-ray search --searcher mine:Walk --proxies naswot
    """
    from nas_ray.search.arguments import AnySearchArgs

    return _search(AnySearchArgs, "", "search", description)


def two_stage(description: str) -> int:
    """Scores archs with zero-cost proxies, trains the best for an epoch, and the best of those for longer.

    Every rung trains fewer archs for more epochs, each from where the rung before left it; the table at the
    end has the accuracy of all rungs.

        nas-ray two-stage --num-samples 200 --keep 16 --rungs 1,4,12
        nas-ray two-stage --searcher rea --weight 0.5 --fidelity nats-12:batch_size=128
    """
    from nas_ray.commands.names import check_names
    from nas_ray.commands.options import check_options
    from nas_ray.search.arguments import parse
    from nas_ray.search.two_stage_args import TwoStageArgs

    args = parse(TwoStageArgs, "two_stage", description)
    check_names(args)
    check_options(args.searcher, args.searcher_args)
    if not args.smoke:
        args.checked_rungs()
    from nas_ray.search.two_stage import run  # torch, Ray and Lightning take seconds

    return run(args, output())


def one_shot(description: str) -> int:
    """One-shot search: trains one net with all operations per method and seed, and derives an arch from it.

    Each method with each seed is a trial, and reports after every epoch; at the end a table says what the
    archs are worth in the benchmark, beside as many random ones.

        nas-ray one-shot --method darts1,gdas,drnas --seeds 4
        nas-ray one-shot --method darts1 darts1,derive=perturbation --channels 8 --cells 1 --epochs 20
        nas-ray one-shot --resume runs/one_shot-cifar10-20250101-120000
    """
    from nas_ray.commands.names import check_names
    from nas_ray.search.arguments import parse
    from nas_ray.search.one_shot.args import OneShotArgs

    began = time.monotonic()
    args = parse(OneShotArgs, "one_shot", description)
    check_names(args)
    args.check()
    from nas_ray.search.one_shot.run import run  # torch, Ray and Lightning take seconds

    return run(args, output(), began=began)


def _search(kind: type[SearchArgs], searcher: str, name: str, description: str) -> int:
    """Runs one search and returns its exit code.

    Exit codes: 0 done, 1 no evaluation succeeded or the storage was away, 2 bad input, 130 interrupted.

    Args:
        kind: dataclass of the arguments.
        searcher: by name; empty where the argument `searcher` says it.
        name: of the experiment, kept in the run folder.
        description: what `--help` says first.
    """
    from nas_ray.commands.names import check_names
    from nas_ray.commands.options import check_options
    from nas_ray.search.arguments import parse
    from nas_ray.training.task_args import check_reads

    began = time.monotonic()
    args = parse(kind, name, description)
    check_names(args)
    check_reads(args.task, args.space)
    check_options(str(getattr(args, "searcher", searcher)), getattr(args, "searcher_args", ()))
    errors = error_console()
    with errors.status("loading ...") if errors.is_terminal else contextlib.nullcontext():
        _start_early(args)
        from nas_ray.search.session import run
    return run(name, args, searcher or str(getattr(args, "searcher", "")), output(), began=began)


def _start_early(args: SearchArgs) -> None:
    """Starts Ray while the rest is imported."""
    if args.driver != "ray":
        return
    from nas_ray.drivers.early import start_early
    from nas_ray.search.requests import request_for

    needed = ["nas_ray.search.session", "nas_ray.drivers.trainable"]
    start_early(request_for(args), needed, verbose=args.verbose)


def one_shot_truth(description: str) -> int:
    """How often do one-shot methods find what is right? Searches on images with a known answer.

        nas-ray one-shot-truth
        nas-ray one-shot-truth --methods darts1 darts1,penalty=beta --shortcuts 0.9 --seeds 50

    A net has one edge with five operations. The ends of pairs of pixels tell two classes apart: those of long
    pairs always, which takes a 5x5 convolution, and those of short pairs with a chosen probability, for which
    a 3x3 one is enough (docs/images.md). What is printed is how often each method chooses the 5x5
    convolution, with Wilson's interval. The same command goes on where it was stopped.
    """
    from nas_ray.search.one_shot_truth.args import TruthArgs
    from nas_ray.terminal.command_line import read_args

    args = read_args(TruthArgs, description)
    args.check()
    from nas_ray.search.one_shot_truth.run import run  # torch takes seconds

    return run(args, output(piped=120))


def unseen(description: str) -> int:
    """A search on images that no architecture was tuned for, and what it finds trained beside other nets.

        nas-ray unseen
        nas-ray unseen --space darts-cells:channels=8,cells=3 --proxies naswot --seeds 5
        nas-ray unseen --searcher random_search --fidelity epochs:1 --sets shapes,seed=3 npz:mine.npz

    The sets are made from a seed (docs/images.md), so nobody has tuned a net for them. On each of them the
    search is run with several seeds, and what it finds is trained by one recipe on all training images and
    judged on the test images, as are a random net of the same space and ResNet-20. Without arguments, cells
    of NATS-TSS are searched by the default fitness. The same command goes on where it was stopped.
    """
    from nas_ray.search.contest.args import UnseenArgs

    return _study(UnseenArgs, description)


def contest(description: str) -> int:
    """Searchers and spaces against each other: equal seconds of search, then one training for all.

        nas-ray contest
        nas-ray contest rea-tss random-macro resnet-20 --time-budget-s 60 --sets npz:cifar10.npz tile shapes
        nas-ray contest rea-tss one-tss-net --num-samples 100 --time-budget-s None

    Every contestant has the same seconds on every set of images, with several seeds, in a process with one
    thread; what it finds is trained by one recipe on all training images and judged on the test images. The
    folder holds the table with intervals, a picture, every entry, and all searches, of each of which a report
    can be made. The same command goes on where it was stopped, and with more seeds makes those alone.
    """
    from nas_ray.search.contest.args import ContestArgs

    return _study(ContestArgs, description)


def _study(kind: type[StudyArgs], description: str) -> int:
    from nas_ray.commands.names import check_names
    from nas_ray.commands.options import check_options
    from nas_ray.terminal.command_line import read_args

    args = read_args(kind, description)
    check_names(args)
    args.check()
    check_options(str(getattr(args, "searcher", "")), getattr(args, "searcher_args", ()))
    from nas_ray.search.contest.run import run  # torch takes seconds

    return run(args, output(piped=160))
