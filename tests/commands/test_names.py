"""The names that are known without an import are those of the objects."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Literal, get_origin, get_type_hints

import pytest

from nas_ray.benchmarks import BENCHMARKS
from nas_ray.benchmarks import names as benchmark_names
from nas_ray.commands import names, paths
from nas_ray.commands.archs import ARCHS
from nas_ray.commands.names import ARGUMENTS, CHECKS, check_names
from nas_ray.commands.paths import PATHS
from nas_ray.commands.space_options import KINDS
from nas_ray.correlate.args import CorrelateArgs
from nas_ray.drivers import plan, scheduling
from nas_ray.errors import UsageError
from nas_ray.images import spec
from nas_ray.images.sources import IMAGES
from nas_ray.process.plugins import check_name, resolve
from nas_ray.proxies import PROXIES
from nas_ray.proxies.measured import MEASURED
from nas_ray.reproduce.args import CompareArgs
from nas_ray.reproduce.measures import TEST, TRAINED
from nas_ray.search.arguments import AnySearchArgs, SearchArgs
from nas_ray.search.estimation import VALID_ACC, VALID_NATS
from nas_ray.searchers import SEARCHERS, evolution, skip_filter
from nas_ray.searchers.fitness import FITNESSES
from nas_ray.shared_weights.precision import PRECISIONS
from nas_ray.spaces import SPACES
from nas_ray.spaces.hand_designed import NETS
from nas_ray.spaces.options import OPTIONS, READ_TEXTS
from nas_ray.spaces.rnn.sizes import READS
from nas_ray.train import export
from nas_ray.training import trained
from tests.guards.commands import COMMANDS
from tests.guards.test_numbers import args_type


def test_spaces_with_options_are_found_by_their_names() -> None:
    assert set(KINDS) == set(OPTIONS)
    for name, (module, kind) in KINDS.items():
        assert getattr(import_module(f"nas_ray.spaces.{module}"), kind) is SPACES[name]


def test_names_are_those_of_the_objects() -> None:
    assert set(names.SPACES) == set(SPACES)
    assert {name for name, kind in SPACES.items() if getattr(kind, "reads", None) == READS} == {*READ_TEXTS}
    assert set(names.SEARCHERS) == set(SEARCHERS)
    assert set(names.PROXIES) == set(PROXIES)
    assert set(names.COSTS) == set(MEASURED)
    assert names.SCHEDULERS == scheduling.SCHEDULERS
    assert names.DRIVERS == plan.DRIVERS
    assert names.MUTATIONS == evolution.MUTATIONS
    assert names.RULES == skip_filter.RULES
    assert set(spec.NAMES) == set(IMAGES)
    assert set(benchmark_names.NAMES) == set(BENCHMARKS)
    assert set(names.HAND_DESIGNED) == set(NETS)
    assert set(names.FITNESSES) == set(FITNESSES)
    assert set(names.FORMATS) == {*export.NEEDS, "none"}
    assert names.PRECISIONS == PRECISIONS
    assert list(names.MEASURES) == [TEST, *TRAINED]
    assert (VALID_ACC, VALID_NATS, f"-{VALID_NATS}") == names.TRAINED
    assert paths.MODEL == trained.MODEL


@pytest.mark.parametrize("name", ["synflo", "", "a b:c", ":", "mine:", "1:x", "no_such:x", "no_such.deep:x"])
def test_a_refused_name_is_refused_in_the_same_words(name: str) -> None:
    with pytest.raises(UsageError) as late:
        resolve("proxy", name, PROXIES, "nas_ray.proxies")
    with pytest.raises(UsageError) as early:
        check_name("proxy", name, PROXIES, "nas_ray.proxies")
    assert str(early.value) == str(late.value)


def test_what_can_be_meant_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("raise AssertionError('nothing is imported')")
    check_names(SearchArgs(proxies=("naswot, mine:x", "latency_ms"), space="mine:Space"))
    (tmp_path / "own" / "cat").mkdir(parents=True)
    check_names(SearchArgs(images=f"folder:{tmp_path / 'own'}", benchmark=str(tmp_path)))
    check_names(SearchArgs(scheduler="pbt"))  # make_scheduler says why there is none
    check_names(CorrelateArgs(proxies=("all",), fitness=("rank_sum:naswot,synflow", "mixed=0.5:naswot,skip")))
    check_names(SearchArgs(fitness="depth", proxies=("mine:depth",)))
    for fitness in ("default", "rank_sum", "synflow", " rank_sum : naswot , valid_acc", None):
        check_names(SearchArgs(fitness=fitness))
    check_names(CompareArgs(searchers=("rea,population=20,sample=5", " nsga2 ,a=b", "mine:Walk,x=1")))


@pytest.mark.parametrize("name", ARCHS)
def test_archs_are_those_of_the_spaces(name: str) -> None:
    pattern, example = ARCHS[name]
    space = SPACES[name]()
    assert example in space
    if name == "hand-designed":
        return  # whose names are compared
    assert all(re.fullmatch(pattern, arch) for arch in space)
    for arch in list(space)[:: len(space) // 7]:
        for wrong in (
            arch[:-1],
            f"{arch} ",
            arch.replace("~0", "~1"),
            f":{arch}",
            f"{arch}:8",
            "",
            f"{arch}\n",
        ):
            assert wrong == arch or not re.fullmatch(pattern, wrong)


def test_an_installed_plug_in_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        name = "walk"

        def load(self) -> None:
            raise AssertionError("nothing is imported")

    monkeypatch.setattr("nas_ray.process.plugins.entry_points", lambda group: [Entry()])
    check_names(AnySearchArgs(searcher="walk"))
    with pytest.raises(UsageError, match="Known: .*walk"):
        check_names(AnySearchArgs(searcher="wal"))


FREE = {
    "address": "check_paths asks what answers there",
    "against": "one of the searchers, which may have options",
    "arch": "check_archs",
    "beside": "check_archs",
    "cifar": "args.check looks for it",
    "contestants": "args.check knows them",
    "by": "columns of tables that are read later",
    "fidelity": "check_names reads the recipe",
    "fitness": "check_names, where all proxies are built in",
    "late": "args.check reads numbers",
    "long": "args.check reads the recipe",
    "method": "args.check parses it",
    "methods": "args.check parses them",
    "mixed": "one of the proxies, which may be of others",
    "name": "any text",
    "objectives": "scores, and columns of tables that are read later",
    "out": "is made; check_paths looks whether a run is there",
    "recipe": "check_names reads it",
    "results": "args.check looks for it",
    "resume": "read_run, as the arguments are read",
    "sample": "any text",
    "run": "read_run, as the arguments are read",
    "rivals": "the name of a net, looked at when the space is open",
    "rungs": "checked_rungs",
    "scores": "columns of tables that are read later",
    "searcher_args": "check_options",
    "settings": "check_names, as a part of the space",
    "sets": "args.check reads them",
    "short": "args.check reads the recipe",
    "shortcuts": "strengths",
    "table": "chosen, by the command",
    "weights": "args.check reads numbers",
    "words": "args.check looks for them",
    "workers": "args.check reads numbers",
}
"""The texts and paths among the arguments that are in no table, and who looks at them."""


def texts_of(kind: type) -> set[str]:
    hints = get_type_hints(kind)
    told = {field: str(hint) for field, hint in hints.items() if get_origin(hint) is not Literal}
    return {field for field, hint in told.items() if "str" in hint or "Path" in hint} - {"stem", "experiment"}


def test_every_text_and_path_is_looked_at_before_anything_is_imported() -> None:
    found = set().union(*(texts_of(args_type(name)[0]) for name in COMMANDS))
    tables = {*ARGUMENTS, *CHECKS, *PATHS}
    assert found - tables == set(FREE)
    assert tables <= found
