"""Help and refusals come before anything heavy is imported, in every command."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

from tyro.conf import Positional as POSITIONAL

from nas_ray.commands.names import ARGUMENTS, CHECKS
from nas_ray.commands.paths import PATHS
from tests.commands.test_names import texts_of
from tests.guards.commands import COMMANDS, ROOT, WORDS
from tests.guards.test_numbers import args_type, option, ranges_of

HEAVY = {
    *("torch", "torchvision", "ray", "pytorch_lightning", "lightning_fabric", "pandas", "pyarrow", "scipy"),
    *("sklearn", "matplotlib", "plotly", "networkx", "nats_bench", "numpy"),
}
PRELUDE = f"""
import contextlib, io, runpy, sys

HEAVY = {sorted(HEAVY)}
here, folder = {__file__!r}, {str(Path(__file__).parent)!r}

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
    needed = {"export_nats": ["somewhere"], "audit": ["somewhere"], "check_proxy": ["naswot"]}
    numbers = {
        WORDS[name]: [*needed.get(name, []), f"{option(field)}=-1e999"]
        for name in COMMANDS
        for field in [*ranges_of(args_type(name)[0])][:1]
    }
    assert len(numbers) == len(COMMANDS) - 3  # a report, a prediction and a record have none
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
            "search rea --task text": "A text needs a space of nets that read one, darts-rnn,",
            "train --task text --arch lstm": "A text needs a space of nets that read one, darts-rnn,",
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
            "staleness --searchers rea,bogus": "Unknown searcher 'bogus'",
            "staleness --workers 1,none": "--workers must be a whole number from 1 to 1,000,000, got 'none'.",
            "staleness --dataset own": "The dataset here must be one of cifar10, ",
            "unseen --sets bogus": "Unknown images 'bogus'",
            "unseen --searcher bogus": "Unknown searcher 'bogus'",
            "unseen --recipe bogus": "Unknown recipe 'bogus'",
            "contest bogus": "Unknown contestant 'bogus'",
            "contest --sets add add": "The sets must all be different",
            "compare-estimates --short bogus": "Unknown recipe 'bogus'",
            "compare-estimates --weights 2": "--weights must be from 0 to 1",
            "reproduce bogus": "Unknown table 'bogus'",
            "report no/such": "A report needs run folders",
            "search rea --fitness bogus": "Unknown fitness 'bogus'",
            "search rea --fitness rank_sum:bogus,synflow": "Unknown score 'bogus'",
            "search no_such:Walk": "The searcher 'no_such:Walk' needs an importable module 'no_such', but: ",
            "search rea --address nonsense": "An address must be HOST:PORT",
            "search rea --address 127.0.0.1:1": "Nothing answers at --address 127.0.0.1:1: ",
            "best-arch --address ray://127.0.0.1:1": "Nothing answers at --address ray://127.0.0.1:1: ",
            "search rea --start-from no/such": "--start-from needs the folder of a run",
            "search rea --resume no/such": "A run folder with a run.json is needed",
            "train no/such": "A run folder with a run.json is needed",
            "train --resume no/such": "A run folder with a run.json is needed",
            "train --arch bogus": "An arch of nats-tss must read like |skip_connect~0|+|",
            "train --arch lenet-5 --beside random resnet-21": "Did you mean 'resnet-20'?",
            "train --arch 64:64 --space nats-sss": "An arch of nats-sss must read like 64:32:8:16:24, or be",
            "train --arch bogus --space hand-designed": "Unknown net 'bogus'",
            "train": "A training needs the run folder of a search, or an arch",
            "compare-searchers rea --measure bogus": "Unknown measure 'bogus'",
            "correlate --fitness rank_sum:naswot,bogus": "Unknown score 'bogus'",
            "check-proxy nas_wot": "Unknown proxy 'nas_wot'. Did you mean 'naswot'?",
            "check-proxy no_such:score": "The proxy 'no_such:score' needs an importable module",
            "check-proxy naswot --space rnn-nets": "A proxy is checked on nets that read images",
            "audit no/such.csv": "The table to audit must be a file",
            "trace": "At least one net must be named",
            "trace resnet19": "Unknown net 'resnet19'. Did you mean 'resnet18'?",
            "trace resnet18 resnet18": "The nets must all be different",
            "trace no_such:Net": "The net 'no_such:Net' needs an importable module",
            "trace no/such.json": "A stored graph must be a file",
            "predict no/such photo.jpg": "A net is loaded from the model.pt that nas-ray train wrote",
            "predict . photo.jpg": "A net is loaded from the model.pt that nas-ray train wrote",
            "predict {here}": "A prediction needs at least one image",
            "predict {here} no/such": "An image must be a file or a folder of them",
            **{
                f"{command} {option}": start
                for command in ("search rea", "two-stage", "score-space", "correlate", "best-arch", "train")
                for option, start in {
                    "--images bogus": "Unknown images 'bogus'",
                    "--images digits:here": "Images 'digits' take no path",
                    "--images npz:no/such.npz": "npz:PATH needs a NumPy archive",
                    "--images folder:no/such": "folder:PATH needs a folder",
                    "--images folder:{folder}": "folder:PATH needs one sub-folder of images per class",
                }.items()
            },
            **{
                f"{command} --benchmark no/such.csv": "Unknown benchmark 'no/such.csv'"
                for command in (
                    *("search rea", "two-stage", "score-space", "correlate", "reproduce skips-counts"),
                    *("compare-searchers rea", "staleness", "choose-score", "report run"),
                )
            },
        }.items():
            code, said = ended(*line.replace("{here}", here).replace("{folder}", folder).split())
            assert code == 2 and start in said, (line, said)
        """
    )


def test_every_name_and_every_path_of_every_command() -> None:
    """By reflection: an argument that the tables know, of a command that has it."""
    words = {
        f"{WORDS[name]} {field}": [
            *WORDS[name].split(),
            *(["somewhere"] if name == "audit" else []),
            *_wrong(args_type(name)[0], field),
        ]
        for name in COMMANDS
        for field in texts_of(args_type(name)[0]) & {*ARGUMENTS, *CHECKS, *PATHS}
    }
    assert len(words) > 80
    run(
        f"""
        from nas_ray.commands.start import main
        for what, line in {words}.items():
            code, said = ended(*line)
            assert code == 2 and said.startswith("error: ") and said.count("\\n") == 1, (what, line, said)
            assert "bogus" in said or "no/such" in said, (what, said)
        """
    )


def _wrong(kind: type, field: str) -> list[str]:
    """Returns the words of a command in which `field` names nothing."""
    value = {"images": "npz:no/such.npz", "benchmark": "no/such.csv"}.get(field, "no/such")
    value = "bogus" if field in ARGUMENTS else value
    hints = get_type_hints(kind, include_extras=True)
    positional = [f.name for f in fields(kind) if POSITIONAL in getattr(hints[f.name], "__metadata__", ())]
    needed = {"directory": ".", "model": __file__, "files": __file__, "runs": "no/such", "table": "all"}
    needed["proxy"] = "naswot"
    before = [needed[name] for name in positional if name in needed and name != field]
    if field in positional:
        place = positional.index(field)
        return [*before[:place], value, *before[place:]]
    return [*before, f"--{field.replace('_', '-')}", value]


def test_options_of_spaces() -> None:
    run(
        """
        HEAVY.remove("numpy")
        from nas_ray.commands.start import main
        for line, start in {
            "search rea --space macro:as=foo": "Unknown variant of macro 'foo'. Known: described, released.",
            "search rea --space macro:layers=0@lr=0.1/1": "The limit layers of macro must be a whole number",
            "train --space nats-tss:cells=0 --arch x": "channels and cells must be at least 1, got",
            "unseen --space darts:channels=1": "The channels of darts must be a whole number of at least 2",
            "search --space darts-s2:cells=900": "A net of darts-s2 has at most 4,096 channels and 200 cells",
            "search --space darts:ops=bogus": "Unknown operation of darts, or set of them, 'bogus'",
            "search --space layerwise:head=x": "The head of a net must be the side of its grid",
            "search --space grammar:depth=0": "The depth of grammar must be a whole number of at least 1",
            "one-shot --space darts-rnn:width=0 --task text": "The width of darts-rnn must be",
            "search --space rnn-tree:base=3 --task text": "The base of rnn-tree must be a power of two",
            "two-stage --space nasnet:blocks=0": "The blocks of nasnet must be",
        }.items():
            code, said = ended(*line.split())
            assert code == 2 and start in said, (line, said)
        """
    )


def test_options_of_searchers() -> None:
    """Numpy and pandas are imported for them."""
    HEAVY_TOO = ("numpy", "pandas", "pyarrow")
    run(
        f"""
        HEAVY[:] = [name for name in HEAVY if name not in {HEAVY_TOO}]
        from nas_ray.commands.start import main
        for line, start in {{
            "search nsga2 --searcher-args bogus=1": "Unknown option of the searcher 'bogus'",
            "search nsga2 --searcher-args population=x": "The option population of the searcher must be",
            "two-stage --searcher rea --searcher-args bogus=1": "Unknown option of the searcher 'bogus'",
            "compare-searchers rea,bogus=1": "Unknown option of the searcher 'bogus'",
            "staleness --searchers rea,bogus=1": "Unknown option of the searcher 'bogus'",
        }}.items():
            code, said = ended(*line.split())
            assert code == 2 and start in said and said.count("\\n") == 1, (line, said)
        """
    )


def test_a_new_run_is_not_begun_where_one_is(files: Path) -> None:
    words = [
        [*WORDS[name].split(), "--out", str(files / "run")]
        for name, command in COMMANDS.items()
        if command.writes == "new"
    ]
    words = [[*line, "--arch", "lenet-5"] if line[0] == "train" else line for line in words]
    run(
        f"""
        from nas_ray.commands.start import main
        for line in {words}:
            code, said = ended(*line)
            assert code == 2 and "already holds a run; continue it with --resume" in said, (line, said)
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


def test_a_search_imports_for_its_first_trial_only_what_that_needs() -> None:
    """What draws pictures, tests hypotheses or compiles would keep the first row waiting for seconds."""
    run(
        """
        from nas_ray.search.arguments import ReaArgs
        from nas_ray.search.experiment import prepare
        import nas_ray.search.session
        import nas_ray.drivers.trainable

        prepare("rea", ReaArgs(), "rea")
        for name in ("matplotlib", "networkx", "plotly", "scipy", "sklearn", "torchvision", "torch._dynamo"):
            assert name not in sys.modules, name
        """
    )
