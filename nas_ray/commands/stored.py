"""Commands on stored scores and accuracies: choices, judgements, comparisons and published tables."""

from __future__ import annotations

from nas_ray.terminal.console import output, say


def choose_score(description: str) -> int:
    """Chooses among many combinations of scores by validation accuracy, and tests the chosen one once.

        nas-ray choose-score --benchmark nats_tss.csv.gz --scores-file s0.parquet s1.parquet
        nas-ray choose-score --for-searches --benchmark nats_tss.csv.gz --scores-file s0.parquet

    Every combination of up to three scores, summed as normalised values, ranks or logarithms of ranks, with
    and without a prior on skip connections, has an arch of the whole space that it likes best. The
    combination whose arch has the best validation accuracy on CIFAR-10, averaged over the initialisations
    given, is chosen; test accuracy is looked up for it alone. What is printed says how many were tried.

    With --for-searches the default of the searches is chosen: by the validation accuracy of what rea finds
    with each score on one half of the archs, in 150 and in 300 evaluations. The other half, all archs and the
    other datasets are looked at for the choice and a few beside it alone (docs/default_fitness.md).

    With --for-ranks the sum is chosen that ranks one half of the archs best by validation accuracy on all
    datasets, or with --space nats-sss the weights of the widths; rule.json is what record judges
    (docs/record.md).
    """
    from nas_ray.commands.names import check_names
    from nas_ray.reproduce.args import ChooseArgs
    from nas_ray.terminal.command_line import read_args

    args = read_args(ChooseArgs, description)
    check_names(args)
    from nas_ray.reproduce.choose import choose  # torch takes seconds

    return choose(args, output(piped=160))


def record(description: str) -> int:
    """How well does a rule rank all archs that was fixed before? Beside what counting tells.

        nas-ray record --benchmark nats_tss.csv.gz --scores-file runs/*/scores.parquet
        nas-ray record --space nats-sss --benchmark nats_sss.csv.gz --chosen-on nats_sss_half.csv.gz

    The rule is a file that says on which half of the archs and by which command it was chosen; the archs that
    were not used for the choice are judged apart. The table has Spearman's and Kendall's correlation with
    test accuracy and their intervals over initialisations, of the rule, its scores and what counting tells.
    On the size space it also has what the best arch within a budget of parameters costs.
    """
    from nas_ray.commands.names import check_names
    from nas_ray.reproduce.record.args import RecordArgs
    from nas_ray.terminal.command_line import read_args

    args = read_args(RecordArgs, description)
    check_names(args)
    from nas_ray.reproduce.record.run import run  # scipy takes a second

    return run(args, output(piped=200))


def compare_searchers(description: str) -> int:
    """Compares searchers, yours among them, with many seeds on stored accuracies or scores, in seconds.

        nas-ray compare-searchers rea local_search --seeds 20
        nas-ray compare-searchers rea,population=20,sample=5 mine:Walk --workers 4 --benchmark t.csv
        nas-ray compare-searchers rea freerea --by rank_sum:naswot,synflow --scores-file s.parquet
        nas-ray compare-searchers nsga2 rea --objectives accuracy,-latency:pixel2 --costs latency.csv

    Every searcher is run with the same budget and many seeds in this machine's processes, on a simulated
    clock. The table has mean, deviation, median and interval on each dataset, and tests all against one of
    them, with best, worst and gap of a searcher that is named with several settings; random search always
    takes part. The folder holds the table, every single run, and a picture of the course.

    With --objectives searches maximise several things at once and are judged by the true front of the table
    (docs/fronts.md).
    """
    from nas_ray.commands.names import check_names
    from nas_ray.commands.options import check_compared
    from nas_ray.reproduce.args import CompareArgs
    from nas_ray.terminal.command_line import read_args

    args = read_args(CompareArgs, description)
    check_names(args)
    check_compared(args.searchers)
    from nas_ray.reproduce.fronts.run import compare_by  # torch and Ray take seconds

    return compare_by(args, output(piped=200))


def staleness(description: str) -> int:
    """What late rows cost searchers: with 1, 8 and 32 workers, and a fixed number of asks late.

        nas-ray staleness --benchmark nats_tss.csv.gz
        nas-ray staleness --searchers rea,local_search --workers 1,4,16 --late 0 --seeds 100
        nas-ray staleness --searchers reinforce,late=drop reinforce --budget wall --out runs/late

    Every searcher is run with many seeds on stored accuracies, in this machine's processes. On the simulated
    clock an evaluation ends after the arch's own training time, so with several workers a searcher proposes
    archs before it knows what is under way. The table has the accuracy found with its interval, its rank in
    the space and the simulated seconds, and tests every row against the same searcher with the fewest
    workers. The folder holds the table, every single run, and a picture.
    """
    from nas_ray.commands.names import ARGUMENTS, check_names
    from nas_ray.commands.options import check_compared
    from nas_ray.reproduce.staleness.args import StalenessArgs
    from nas_ray.terminal.command_line import read_args

    args = read_args(StalenessArgs, description)
    check_names(args)
    args.check()
    for name in args.named:
        ARGUMENTS["searchers"].check(name)
    check_compared(args.named)
    from nas_ray.reproduce.staleness.run import run  # torch and Ray take seconds

    return run(args, output(piped=160))


def audit(description: str) -> int:
    """Which rows of a table of results cannot be true: held against the accuracy of all archs of the space.

        nas-ray audit results.csv --benchmark nats_tss.csv.gz
        nas-ray audit results.csv --searched once --runs 500 --out verdicts.csv

    A mean over runs is a mixture of archs. Where no mixture of all archs of the space has the means and
    deviations that a row claims, the row is impossible, and the sentence beside it says which values: one
    above the best arch, a deviation too large for its mean, test and validation accuracy that do not go
    together, datasets that no single search gives. Rows that repeat another one are named too. The exit code
    is 1 where a row is impossible or repeated.
    """
    from nas_ray.commands.names import check_names
    from nas_ray.reproduce.audit.args import AuditArgs
    from nas_ray.terminal.command_line import read_args

    args = read_args(AuditArgs, description)
    check_names(args)
    args.check()
    from nas_ray.drivers.lifecycle import Ending, guarded
    from nas_ray.reproduce.audit.run import run  # scipy takes a second

    console = output(piped=160)
    return guarded(lambda: run(args, console), Ending("audit"), console)


def reproduce(description: str) -> int:
    """Runs published tables again on stored scores: our figures beside theirs, and whether they agree.

        nas-ray reproduce --list
        nas-ray reproduce 12000s --benchmark nats_tss.csv.gz
        nas-ray reproduce skips-rules --benchmark nats_tss.csv.gz --scores-file scores.parquet
        nas-ray reproduce all --seeds 300 --benchmark nats_tss.csv.gz --scores-file scores.parquet

    Every row of a table is a search that is run with many seeds in this machine's processes, on a table of
    accuracy (docs/benchmarks.md) and a table of scores that score-space wrote. The folder holds each table as
    CSV and Markdown, every single run, and a picture.
    """
    from nas_ray.commands.names import check_names
    from nas_ray.reproduce.args import ReproduceArgs
    from nas_ray.reproduce.catalogue import TABLES, chosen
    from nas_ray.terminal.command_line import read_args

    args = read_args(ReproduceArgs, description)
    console = output(piped=200)
    if args.show_list:
        width = max(map(len, TABLES))
        for table in TABLES.values():
            say(console, f"{table.name:{width}}  {table.title}")
        return 0
    tables = chosen(args.table)
    check_names(args)
    from nas_ray.process.started import command_for
    from nas_ray.reproduce.run import run  # torch and Ray take seconds
    from nas_ray.terminal.next_steps import options_of

    words = options_of(args, "benchmark")
    compare = command_for("compare", "rea", "local_search", *words)
    return run(args, tables, console, then=(compare, command_for("rea", *words)))
