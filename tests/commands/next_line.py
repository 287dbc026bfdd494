"""The last line of a command: every command in it is one, with arguments that it takes."""

from __future__ import annotations

import shlex

from nas_ray.best_arch.args import BestArgs
from nas_ray.commands.args import ExportArgs, PredictArgs, ReportArgs
from nas_ray.commands.names import check_names
from nas_ray.commands.start import COMMANDS, chosen
from nas_ray.correlate.args import CorrelateArgs
from nas_ray.correlate.check_proxy.args import CheckProxyArgs
from nas_ray.correlate.estimates.args import EstimatesArgs
from nas_ray.reproduce.args import ChooseArgs, CompareArgs, ReproduceArgs
from nas_ray.reproduce.audit.args import AuditArgs
from nas_ray.reproduce.record.args import RecordArgs
from nas_ray.reproduce.staleness.args import StalenessArgs
from nas_ray.score_space.args import ScoreArgs
from nas_ray.search.arguments import AnySearchArgs, ReaArgs, SearchArgs, SkipReaArgs
from nas_ray.search.contest.args import ContestArgs, UnseenArgs
from nas_ray.search.one_shot.args import OneShotArgs
from nas_ray.search.pnas_args import PnasArgs
from nas_ray.search.reinforce_args import ReinforceArgs
from nas_ray.search.trace.args import TraceArgs
from nas_ray.search.tune_recipe.args import TuneRecipeArgs
from nas_ray.search.two_stage_args import TwoStageArgs
from nas_ray.terminal.command_line import read_args
from nas_ray.train.args import TrainArgs

ARGS: dict[str, type] = {
    "search": AnySearchArgs,
    "search rea": ReaArgs,
    "search random_search": SearchArgs,
    "search skip_rea": SkipReaArgs,
    "search reinforce": ReinforceArgs,
    "search pnas": PnasArgs,
    "two-stage": TwoStageArgs,
    "one-shot": OneShotArgs,
    "train": TrainArgs,
    "tune-recipe": TuneRecipeArgs,
    "predict": PredictArgs,
    "report": ReportArgs,
    "trace": TraceArgs,
    "score-space": ScoreArgs,
    "correlate": CorrelateArgs,
    "check-proxy": CheckProxyArgs,
    "compare-estimates": EstimatesArgs,
    "best-arch": BestArgs,
    "choose-score": ChooseArgs,
    "record": RecordArgs,
    "compare-searchers": CompareArgs,
    "staleness": StalenessArgs,
    "unseen": UnseenArgs,
    "contest": ContestArgs,
    "reproduce": ReproduceArgs,
    "audit": AuditArgs,
    "export-nats": ExportArgs,
}


def next_commands(text: str) -> list[str]:
    """Returns the commands that the last line of `text` names, once their words were read as theirs."""
    *before, last = text.rstrip("\n").splitlines()
    assert last.startswith("next: "), last
    assert not [line for line in before if line.startswith("next: ")]
    commands = last.removeprefix("next: ").split("   or   ")
    assert 1 <= len(commands) <= 2
    for command in commands:
        words = shlex.split(command)
        if words[1] in ("-c", "-m"):
            continue
        if words[0] == "python":
            name = next(name for name, one in COMMANDS.items() if words[1].endswith(f"/{one.__name__}.py"))
            arguments = words[2:]
        else:
            assert words[0] == "nas-ray"
            name, arguments = chosen(words[1:])
        args = read_args(ARGS[name], None, arguments)
        if not isinstance(args, ReportArgs):
            check_names(args)
    return commands
