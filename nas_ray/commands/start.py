"""Starts a command by its name: as `nas-ray NAME`, as `python -m nas_ray NAME`, or as a script."""

from __future__ import annotations

import inspect
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import nas_ray
from nas_ray.commands import results, scores, searches, spaces, stored
from nas_ray.errors import UsageError, unknown_name
from nas_ray.process.started import Started, script_name, started_as
from nas_ray.terminal.cli import reported_errors
from nas_ray.terminal.console import tell

Command = Callable[[str], int]
"""Reads the arguments of this process, given what `--help` says first, and returns the exit code."""

COMMANDS: dict[str, Command] = {
    "search": searches.search,
    "search rea": searches.rea,
    "search random_search": searches.random_search,
    "search skip_rea": searches.skip_rea,
    "search reinforce": searches.reinforce,
    "search pnas": searches.pnas,
    "two-stage": searches.two_stage,
    "one-shot": searches.one_shot,
    "train": results.train,
    "tune-recipe": results.tune_recipe,
    "report": results.report,
    "predict": results.predict,
    "score-space": scores.score_space,
    "correlate": scores.correlate,
    "check-proxy": scores.check_proxy,
    "compare-estimates": scores.compare_estimates,
    "best-arch": scores.best_arch,
    "choose-score": stored.choose_score,
    "record": stored.record,
    "compare-searchers": stored.compare_searchers,
    "staleness": stored.staleness,
    "one-shot-truth": searches.one_shot_truth,
    "unseen": searches.unseen,
    "contest": searches.contest,
    "reproduce": stored.reproduce,
    "audit": stored.audit,
    "trace": spaces.trace,
    "export-nats": results.export_nats,
}
"""All commands, by the words after `nas-ray`; the script of each is called as its function."""

HELP = ("--help", "-h", "help")


def main() -> NoReturn:
    """Runs the command that this process's words name, and exits with its code."""
    with reported_errors():
        sys.exit(_run(sys.argv[1:]))


def script(name: str) -> NoReturn:
    """Runs the command of `experiments/NAME.py` and exits with its code."""
    with reported_errors():
        command = next(command for command in COMMANDS.values() if command.__name__ == name)
        sys.exit(command(_for_scripts(described(command))))


def described(command: Command) -> str:
    """Returns what the `--help` of a command says first."""
    return inspect.getdoc(command) or ""


def words_of(experiment: str) -> str:
    """Returns the words after `nas-ray` of the command of `experiment`, as run.json has it."""
    name = script_name(experiment)
    return next((words for words, command in COMMANDS.items() if command.__name__ == name), name)


def _for_scripts(text: str) -> str:
    """Returns `text` with the commands in it written as scripts."""
    for words in sorted(COMMANDS, key=len, reverse=True):
        there = f"python experiments/{COMMANDS[words].__name__}.py"
        text = re.sub(rf"(?m)^(\s*)nas-ray {words}(?= |$)", rf"\1{there}", text)
    return text


def _run(given: Sequence[str]) -> int:
    if given and given[0] in HELP:
        tell(overview())
        return 0
    if given and given[0] == "--version":
        tell(f"nas-ray {nas_ray.__version__}")
        return 0
    words, arguments = chosen(given)
    program = _program()
    how = Started(
        (*program, *words.split()),
        tuple(arguments),
        "command",
        lambda experiment: " ".join((*program, words_of(experiment))),
        lambda experiment: (*program, *words_of(experiment).split()),
    )
    with started_as(how):
        return COMMANDS[words](described(COMMANDS[words]))


def chosen(given: Sequence[str]) -> tuple[str, list[str]]:
    """Returns the command that `given` begins with, a key of `COMMANDS`, and its arguments.

    A searcher that has no command of its own is the argument of `search`.

    Raises:
        UsageError: no command, or none of that name.
    """
    if not given:
        raise UsageError("A command must be named, such as nas-ray search rea; nas-ray --help lists all.")
    first, *rest = given
    word = first.replace("_", "-")
    if word not in COMMANDS:
        known = [words for words in COMMANDS if " " not in words]
        raise UsageError(f"{unknown_name('command', first, known)} nas-ray --help tells what they do.")
    if word != "search" or not rest or rest[0].startswith("-"):
        return word, rest
    searcher, *rest = rest
    named = f"search {searcher.replace('-', '_')}"
    if named in COMMANDS:
        return named, rest
    if any(option.partition("=")[0] == "--searcher" for option in rest):
        raise UsageError(f"The searcher must be named once, got {searcher!r} and --searcher; leave one out.")
    return word, ["--searcher", searcher, *rest]


def overview() -> str:
    """Returns what `nas-ray --help` says: every command in a line."""
    shown = {words: described(command).partition("\n")[0] for words, command in COMMANDS.items()}
    shown["search"] = "A search with any searcher, as `search NAME`; these have options of their own:"
    width = max(map(len, shown))
    lines = [f"  {words:{width}}  {line}" for words, line in shown.items()]
    return "\n".join(
        [
            "usage: nas-ray COMMAND [OPTIONS]",
            "",
            nas_ray.__doc__.splitlines()[0] if nas_ray.__doc__ else "",
            "",
            *lines,
            "",
            "nas-ray COMMAND --help explains the options of a command; nas-ray --version tells the version.",
        ]
    )


def _program() -> tuple[str, ...]:
    """Returns the words that start this program from a shell here."""
    own = Path(sys.argv[0])
    if own.name == "__main__.py":
        return ("python", "-m", "nas_ray")
    found = shutil.which(own.name)
    same = found is not None and own.exists() and Path(found).samefile(own)
    return (own.name if same else str(own),)
