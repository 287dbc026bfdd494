"""Commands by their names, and what they print to be copied."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from unittest import mock

import pytest

from nas_ray.commands import start
from nas_ray.commands.start import COMMANDS, chosen, overview
from nas_ray.drivers.lifecycle import command_again
from nas_ray.errors import UsageError
from nas_ray.process.started import command_for, started
from nas_ray.reproduce.args import ChooseArgs
from nas_ray.runs.resume import resume_command
from nas_ray.terminal.console import output
from nas_ray.terminal.next_steps import options_of, say_next
from tests.guards import commands
from tests.guards.commands import SCRIPTS, call


def test_every_script_has_a_command_and_every_command_a_script() -> None:
    assert sorted(command.__name__ for command in COMMANDS.values()) == SCRIPTS
    assert {command.__name__: words for words, command in COMMANDS.items()} == commands.WORDS
    for name in SCRIPTS:
        assert f'script("{name}")' in (commands.ROOT / "experiments" / f"{name}.py").read_text()


def test_the_overview_has_a_line_for_each() -> None:
    for words in COMMANDS:
        assert sum(line.startswith(f"  {words}  ") for line in overview().splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "words", "arguments"),
    [
        ("search", "search", ""),
        ("search --searcher rea --seed 1", "search", "--searcher rea --seed 1"),
        ("search rea --seed 1", "search rea", "--seed 1"),
        ("search random-search", "search random_search", ""),
        ("search skip_rea", "search skip_rea", ""),
        ("search nsga2 --seed 1", "search", "--searcher nsga2 --seed 1"),
        ("search mine:Walk-x", "search", "--searcher mine:Walk-x"),
        ("score_space --help", "score-space", "--help"),
        ("report a b", "report", "a b"),
    ],
)
def test_words_choose_a_command(line: str, words: str, arguments: str) -> None:
    assert chosen(line.split()) == (words, arguments.split())


@pytest.mark.parametrize("given", [["searhc"], ["two stage"], [""], ["--seed", "1"], []])
def test_no_command(given: list[str]) -> None:
    with pytest.raises(UsageError, match="nas-ray --help"):
        chosen(given)


def test_the_last_line_is_of_commands_as_this_one_was_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path("my runs/-a")
    assert command_for("train", folder, "--arch", "|a~0|") == "nas-ray train 'my runs/-a' --arch '|a~0|'"
    assert command_for("rea", Path("-a")) == "nas-ray search rea ./-a"
    scripts = Path(start.__file__).parents[2] / "experiments"
    monkeypatch.setattr(sys, "argv", [str(scripts / "rea.py")])
    assert command_for("compare") == f"python {scripts}/compare_searchers.py"
    said: list[str] = []
    monkeypatch.setitem(COMMANDS, "report", lambda _: said.append(command_for("skip_rea", "$x")) or 0)
    monkeypatch.setattr(sys, "argv", ["/x/nas_ray/__main__.py", "report", "a"])
    with pytest.raises(SystemExit):
        start.main()
    assert said == ["python -m nas_ray search skip_rea '$x'"]
    say_next(output(), "a", "b")
    assert capsys.readouterr().out == "next: a   or   b\n"
    assert options_of(ChooseArgs(scores=("a", "b"), top=3), "scores", "seeds", "nothing") == [
        *("--scores", "a", "b")
    ]


def asked(monkeypatch: pytest.MonkeyPatch, program: str, line: str) -> list[str]:
    """Returns the commands that a process started so would print."""
    said: list[str] = []

    def command(_: str) -> int:
        said.extend((resume_command("runs/a b", "h:1"), command_again("runs/x"), started().called("compare")))
        return 0

    monkeypatch.setattr(sys, "argv", [program, *shlex.split(line)])
    for words in COMMANDS:
        monkeypatch.setitem(COMMANDS, words, command)
    command.__name__ = "none"
    with pytest.raises(SystemExit):
        start.main()
    return said


def test_commands_to_copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "bin x" / "nas-ray"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    line = "search rea --seed 1"
    resume, again, _ = asked(monkeypatch, str(program), line)
    assert resume == f"'{program}' search rea --resume 'runs/a b' --address h:1"
    assert again == f"'{program}' search rea --seed 1 --out runs/x"
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    resume, again, _ = asked(monkeypatch, str(program), "search nsga2 --out=y")
    assert resume == "nas-ray search --resume 'runs/a b' --address h:1"
    assert again == "nas-ray search --searcher nsga2 --out=y"
    assert asked(monkeypatch, "/x/nas_ray/__main__.py", "train")[0].startswith(
        "python -m nas_ray train --resume"
    )
    assert started().program == ("python", "/x/nas_ray/__main__.py"), "put back"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "search rea --resume {run}",
            "is a run of nas-ray two-stage; resume it with that command, not nas-ray search rea.",
        ),
        ("train --resume {run}", "is a run of nas-ray two-stage; resume it with that command."),
        (
            "best-arch --out {run}",
            "holds a run of nas-ray two-stage, which nas-ray best-arch would overwrite;",
        ),
    ],
)
def test_another_command_is_named_as_it_is_started(line: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"format": 1, "experiment": "two_stage"}))
    with mock.patch.object(start, "_program", return_value=("nas-ray",)):
        ended = call(None, *line.format(run=tmp_path).split())
    assert ended.code == 2
    assert said in ended.err


def test_a_whole_command_by_its_name(files: Path, tmp_path: Path) -> None:
    ended = call(None, "report", files / "run", "--out", tmp_path / "made.html")
    assert ended.code == 0, ended
    assert (tmp_path / "made.html").exists()
    assert call(None, "--version").out.startswith("nas-ray ")
