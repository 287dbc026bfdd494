"""Help and refusals come before anything heavy is imported, in every command."""

from __future__ import annotations

import subprocess
import sys
import textwrap

from tests.guards.commands import COMMANDS, ROOT, WORDS
from tests.guards.test_numbers import args_type, option, ranges_of

HEAVY = {
    *("torch", "torchvision", "ray", "pytorch_lightning", "lightning_fabric", "pandas", "pyarrow", "scipy"),
    *("sklearn", "matplotlib", "plotly", "networkx", "nats_bench", "numpy"),
}
PRELUDE = f"""
import contextlib, io, runpy, sys

HEAVY = {sorted(HEAVY)}

def check(what):
    heavy = [name for name in HEAVY if name in sys.modules]
    assert not heavy, f"{{what}} imports {{heavy}}"

def ended(*words):
    said = io.StringIO()
    sys.argv = ["nas-ray", *words]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as end:
            code = end.code
    check(" ".join(words))
    return code, said.getvalue()
"""


def run(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(code)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def test_the_package_imports_nothing_heavy() -> None:
    run(
        """
        import nas_ray
        check("import nas_ray")
        assert "tyro" not in sys.modules and "rich" not in sys.modules
        """
    )


def test_help_and_numbers_of_every_command() -> None:
    needed = {"export_nats": ["somewhere"]}
    numbers = {
        WORDS[name]: [*needed.get(name, []), f"{option(field)}=-1e999"]
        for name in COMMANDS
        for field in [*ranges_of(args_type(name)[0])][:1]
    }
    assert len(numbers) == len(COMMANDS) - 2  # a report and a prediction have none
    run(
        f"""
        from nas_ray.commands.start import main
        check("the start")
        for words in ([], *{[words.split() for words in WORDS.values()]}):
            code, said = ended(*words, "--help")
            assert code in (0, None) and "usage: nas-ray " in said, said
        for words, arguments in {numbers}.items():
            code, said = ended(*words.split(), *arguments)
            assert code == 2 and " must be " in said and said.count("\\n") == 1, said
        """
    )


def test_names_that_nothing_has() -> None:
    run(
        """
        from nas_ray.commands.start import main
        for line, start in {
            "bogus": "Unknown command 'bogus'",
            "": "A command must be named",
            "search bogus": "Unknown searcher 'bogus'",
            "search --searcher bogus": "Unknown searcher 'bogus'",
            "search :": "The searcher ':' must read module:name",
            "search rea --searcher nsga2": "",
            "search nsga2 --searcher rea": "The searcher must be named once",
            "search rea --space bogus": "Unknown search space 'bogus'",
            "search rea --space bogus@lr=0.1": "Unknown search space 'bogus'",
            "search rea --space nats-tss@lr=1..": "The setting lr must read",
            "search rea --space nats-tss@bogus=1/2 --fidelity fast": "Unknown recipe option 'bogus'",
            "train --space nats-tss@lr=0.1": "A training takes one arch and one recipe",
            "search rea --dataset bogus": "Unknown dataset 'bogus'",
            "search rea --proxies naswot,bogus": "Unknown proxy 'bogus'",
            "search rea --mutation bogus": "Unknown mutation 'bogus'",
            "search rea --fidelity bogus": "Unknown recipe 'bogus'",
            "search rea --fidelity fast --scheduler bogus": "Unknown scheduler 'bogus'",
            "search skip_rea --rule bogus": "Unknown skip rule 'bogus'",
            "two-stage --searcher bogus": "Unknown searcher 'bogus'",
            "two-stage --rungs 4,1": "--rungs must be growing",
            "train --space bogus": "Unknown search space 'bogus'",
            "train --recipe nats-12:cutout=-1": "cutout must be",
            "train --proxies bogus": "Unknown proxy 'bogus'",
            "score-space --dataset bogus": "Unknown dataset 'bogus'",
            "score-space --proxies bogus": "Unknown proxy 'bogus'",
            "correlate --proxies bogus": "Unknown proxy 'bogus'",
            "correlate --datasets bogus": "Unknown dataset 'bogus'",
            "correlate --score-as bogus": "Unknown dataset 'bogus'",
            "best-arch --dataset bogus": "Unknown dataset 'bogus'",
            "compare-searchers bogus,population=2": "Unknown searcher 'bogus'",
            "reproduce bogus": "Unknown table 'bogus'",
            "report no/such": "A report needs run folders",
            **{
                f"{command} {option}": start
                for command in ("search rea", "two-stage", "score-space", "correlate", "best-arch", "train")
                for option, start in {
                    "--images bogus": "Unknown images 'bogus'",
                    "--images digits:here": "Images 'digits' take no path",
                    "--images npz:no/such.npz": "npz:PATH needs a NumPy archive",
                    "--images folder:no/such": "folder:PATH needs a folder",
                }.items()
            },
            **{
                f"{command} --benchmark no/such.csv": "Unknown benchmark 'no/such.csv'"
                for command in (
                    *("search rea", "two-stage", "score-space", "correlate", "reproduce skips-counts"),
                    *("compare-searchers rea", "choose-score", "report run"),
                )
            },
        }.items():
            code, said = ended(*line.split())
            assert code == 2 and start in said, (line, said)
        """
    )


def test_scripts_too() -> None:
    run(
        f"""
        for name in {list(COMMANDS)}:
            path = f"{ROOT}/experiments/{{name}}.py"
            sys.argv = [path, "--help"]
            with contextlib.redirect_stdout(io.StringIO()) as said:
                try:
                    runpy.run_path(path, run_name="__main__")
                except SystemExit as end:
                    assert end.code in (0, None)
            check(path)
            assert f"python experiments/{{name}}.py" in said.getvalue(), said.getvalue()
            assert "nas-ray " not in said.getvalue().partition("options")[0], said.getvalue()
        """
    )
