"""The commands that make something of a run; the text of each function is what its `--help` says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nas_ray.errors import UsageError
from nas_ray.terminal.console import error_console, output, say_error, tell

if TYPE_CHECKING:
    from nas_ray.commands.args import ExportArgs, PredictArgs, ReportArgs


def train(description: str) -> int:
    """Trains the best arch of a search to the end, exports the net, and shows other nets beside it.

        nas-ray train runs/rea-cifar10-20250101-120000
        nas-ray train runs/rea-own-20250101-120000 --recipe epochs:8 --beside resnet-20 random
        nas-ray train --arch resnet-20 --images folder:flowers --recipe nats-12:class_weights=true
        nas-ray train --task text:corpus.txt --space rnn-nets --arch lstm --beside gru --sample "the"
        nas-ray train --resume runs/train-own-20250101-130000

    The folder holds model.pt, model.onnx and model.pt2, model_card.md with accuracy and intervals, learning
    curves, the confusion matrix, tables, and below nets/ the best and the last checkpoint of every net with
    its TensorBoard and CSV logs. `nas_ray.load("model.pt")` gives the net back.
    """
    from nas_ray.commands.archs import check_archs
    from nas_ray.commands.names import check_names
    from nas_ray.train.args import parse

    args = parse(description)
    check_names(args)
    check_archs(args)
    from nas_ray.train.run import train as run  # torch and Lightning take seconds

    return run(args, output(piped=140))


def tune_recipe(description: str) -> int:
    """Tunes the recipe of the best arch of a search: short trainings tell which settings suit it.

        nas-ray tune-recipe runs/rea-cifar10-20250101-120000
        nas-ray tune-recipe runs/rea-0 --settings lr=log:0.01..1,cutout=0..16 --searcher wrs --num-samples 50
        nas-ray tune-recipe --arch resnet-20 --fidelity epochs:9 --scheduler asha
        nas-ray tune-recipe --task text --space rnn-nets --arch lstm --settings lr=log:1..60
        nas-ray tune-recipe --resume runs/tune_recipe-cifar10-20250101-130000
        nas-ray train runs/rea-0 --recipe-from runs/tune_recipe-cifar10-20250101-130000

    The folder is that of a search whose points are ARCH@lr=0.1,...: it holds every row, the best one,
    importance.csv, what each setting explains of the accuracy or the nats, and pictures of that and of all
    points.
    """
    from nas_ray.commands.archs import check_archs
    from nas_ray.commands.names import check_names
    from nas_ray.commands.options import check_options
    from nas_ray.search.tune_recipe.args import parse_tuning

    began = time.monotonic()
    args = parse_tuning(description)
    check_names(args)
    args.check()
    check_archs(args)
    check_options(args.searcher, args.searcher_args)
    from nas_ray.search.tune_recipe.run import run  # torch, Ray and Lightning take seconds

    return run(args, output(), began=began)


def report(description: str) -> int:
    """Makes one HTML page about a run, or one that compares several, to be opened in any browser.

        nas-ray report runs/rea-cifar10-20250101-120000
        nas-ray report runs/rea-0 runs/rea-1 runs/random-0 runs/random-1 --out compared.html
        nas-ray report runs/space --benchmark nats_tss.csv.gz --out space.html
        nas-ray report ~/ray_results/train_2025-01-01_10-00-00 --fitness loss --mode min

    A run is a folder that a search, score-space or correlate wrote; a search may still be running. Or it is
    what a tune.Tuner of Ray left, its folder or a table of its results with a column of archs. The page
    holds all that it needs, so it works without network and can be sent to others: the best archs and their
    cells, the course of the search, scores against accuracy, the Pareto front, skip connections, a table of
    all rows to sort and search, and everything in run.json. Runs that differ in nothing but seeds become one
    curve, the median with its quartiles.
    """
    from nas_ray.commands.args import ReportArgs
    from nas_ray.commands.names import check_names
    from nas_ray.terminal.command_line import read_args

    args = read_args(ReportArgs, description)
    check_names(args)
    from nas_ray.drivers.lifecycle import Ending, guarded

    return guarded(lambda: _report(args), Ending("report"), output())


def _report(args: ReportArgs) -> int:
    from nas_ray.process.shell import in_shell
    from nas_ray.process.started import command_for
    from nas_ray.report.html_report import write_report  # takes seconds
    from nas_ray.report.read_tuned import Judged
    from nas_ray.terminal.next_steps import say_next

    judged = Judged(args.fitness, args.mode == "min", args.dataset)
    path = write_report(args.runs, args.out, args.benchmark, judged)
    tell(f"Report: {path} ({path.stat().st_size / 1e6:.1f} MB)")
    shown = f"python -m webbrowser {in_shell(path.resolve().as_uri())}"
    found = [one for one in args.runs if (one / "best.json").is_file()]
    say_next(output(), shown, *(command_for("train", one) for one in found[:1]))
    return 0


def predict(description: str) -> int:
    """Tells what a trained net sees in images: the class of each, and how sure the net is.

        nas-ray predict runs/train-own-20250101-130000 photo.jpg
        nas-ray predict model.pt photos/ --out classes.csv
        nas-ray predict model.pt photos/*.jpg --space mine:Space

    The net is the model.pt that train wrote. Images are JPEG, PNG, WEBP, TIFF, BMP, GIF or PPM of any size;
    they are turned, resized and standardised as in the training. In Python the same is
    `nas_ray.load("model.pt").predict(...)`, which takes arrays and tensors too (docs/trained_net.md).
    """
    from nas_ray.commands.args import PredictArgs
    from nas_ray.commands.names import check_names
    from nas_ray.terminal.command_line import read_args

    args = read_args(PredictArgs, description)
    check_names(args)
    from nas_ray.drivers.lifecycle import Ending, guarded

    return guarded(lambda: predicted(args), Ending("prediction"), output(piped=140))


def predicted(args: PredictArgs) -> int:
    """Prints and writes the classes, and returns the exit code.

    Raises:
        UsageError: no net, an image that cannot be read, or a table that cannot be written.
    """
    from rich.table import Column

    from nas_ray.benchmarks.table_files import check_writable, write_table
    from nas_ray.spaces.named import open_space
    from nas_ray.terminal.console import Rows, put
    from nas_ray.text.spec import NO_CLASSES
    from nas_ray.training.trained import load  # torch takes seconds
    from nas_ray.training.trained_text import TrainedText

    if args.out is not None:
        check_writable(args.out)
    net = load(args.model, None if args.space is None else open_space(args.space))
    if isinstance(net, TrainedText):
        raise UsageError(NO_CLASSES)
    found = net.predict(args.files, skip_unreadable=args.skip_unreadable)
    for text in found.attrs["skipped"]:
        say_error(f"left out: {text}")
    table = Rows(Column("image", overflow="fold"), "label", "confidence", box=None, header_style="bold")
    for image, label, confidence in found.itertuples(index=False):
        table.add_row(image, label, f"{confidence:.1%}")
    put(output(piped=140), table)
    if args.out is not None:  # last, so that what cannot be written is seen
        write_table(found, args.out)
        tell(f"{args.out}: {len(found)} images")
    return 0


def export_nats(description: str) -> int:
    """Turns the official NATS-Bench directory into one table of a few MB, in one pass with flat memory.

        nas-ray export-nats NATS-tss-v1_0-3ffb9-simple --out nats_tss.parquet
        nas-ray search rea --benchmark nats_tss.parquet
        nas-ray export-nats NATS-sss-v1_0-50262-simple --out nats_sss.parquet
        nas-ray search rea --space nats-sss --benchmark nats_sss.parquet

    The table holds every arch of the space: accuracy and seconds on all three datasets. Nothing in the
    archives is run as code.
    """
    from nas_ray.commands.args import ExportArgs
    from nas_ray.commands.names import check_names
    from nas_ray.terminal.command_line import read_args

    args = read_args(ExportArgs, description)
    check_names(args)
    from nas_ray.drivers.lifecycle import Ending, guarded

    return guarded(lambda: export(args), Ending("export"), output())


def export(args: ExportArgs) -> int:
    """Writes the table and returns the exit code.

    Raises:
        UsageError: no such directory, or a table that cannot be written.
    """
    import pandas as pd
    from rich.progress import track

    from nas_ray.benchmarks.export import export_rows
    from nas_ray.benchmarks.nats import find_archives
    from nas_ray.benchmarks.table_files import check_writable, write_table
    from nas_ray.process.shell import place_word
    from nas_ray.process.started import command_for
    from nas_ray.spaces import NatsTss
    from nas_ray.terminal.next_steps import say_next

    check_writable(args.out)
    space, found = find_archives(
        args.directory, allow_missing=args.allow_missing, allow="add --allow-missing"
    )
    rows = export_rows(args.directory, allow_missing=args.allow_missing, workers=args.workers)
    frame = pd.DataFrame(track(rows, "Reading archives", total=len(found), console=error_console()))
    write_table(frame, args.out)
    tell(f"{args.out}: {len(frame)} archs of {space.name}, {args.out.stat().st_size / 1e6:.1f} MB")
    space_words = [] if space.name == NatsTss.name else ["--space", space.name]
    search = command_for("rea", *space_words, "--benchmark", args.out)
    other = command_for("random_search", *space_words) if space_words else command_for("compare")
    say_next(output(), search, f"{other} --benchmark {place_word(args.out)}")
    return 0
