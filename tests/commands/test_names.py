"""The names that are known without an import are those of the objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from nas_ray.benchmarks import BENCHMARKS
from nas_ray.benchmarks import names as benchmark_names
from nas_ray.commands import names
from nas_ray.commands.names import ARGUMENTS, check_names
from nas_ray.correlate.args import CorrelateArgs
from nas_ray.drivers import plan, scheduling
from nas_ray.errors import UsageError
from nas_ray.images import spec
from nas_ray.images.sources import IMAGES
from nas_ray.process.plugins import check_name, resolve
from nas_ray.proxies import PROXIES
from nas_ray.proxies.measured import MEASURED
from nas_ray.reproduce.args import CompareArgs
from nas_ray.search.arguments import AnySearchArgs, SearchArgs
from nas_ray.searchers import SEARCHERS, evolution, skip_filter
from nas_ray.spaces import SPACES


def test_names_are_those_of_the_objects() -> None:
    assert set(names.SPACES) == set(SPACES)
    assert set(names.SEARCHERS) == set(SEARCHERS)
    assert set(names.PROXIES) == set(PROXIES)
    assert set(names.COSTS) == set(MEASURED)
    assert names.SCHEDULERS == scheduling.SCHEDULERS
    assert names.DRIVERS == plan.DRIVERS
    assert names.MUTATIONS == evolution.MUTATIONS
    assert names.RULES == skip_filter.RULES
    assert set(spec.NAMES) == set(IMAGES)
    assert set(benchmark_names.NAMES) == set(BENCHMARKS)


@pytest.mark.parametrize("name", ["synflo", "", "a b:c", ":", "mine:", "1:x"])
def test_a_refused_name_is_refused_in_the_same_words(name: str) -> None:
    with pytest.raises(UsageError) as late:
        resolve("proxy", name, PROXIES, "nas_ray.proxies")
    with pytest.raises(UsageError) as early:
        check_name("proxy", name, PROXIES, "nas_ray.proxies")
    assert str(early.value) == str(late.value)


def test_what_can_be_meant_passes(tmp_path: Path) -> None:
    check_names(SearchArgs(proxies=("naswot, mine:x", "latency_ms"), space="mine:Space"))
    check_names(SearchArgs(images=f"folder:{tmp_path}", benchmark=str(tmp_path)))
    check_names(SearchArgs(scheduler="pbt"))  # make_scheduler says why there is none
    check_names(CorrelateArgs(proxies=("all",)))
    check_names(CompareArgs(searchers=("rea,population=20,sample=5", " nsga2 ,a=b", "mine:Walk,x=1")))


def test_an_installed_plug_in_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        name = "walk"

        def load(self) -> None:
            raise AssertionError("nothing is imported")

    monkeypatch.setattr("nas_ray.process.plugins.entry_points", lambda group: [Entry()])
    check_names(AnySearchArgs(searcher="walk"))
    with pytest.raises(UsageError, match="Known: .*walk"):
        check_names(AnySearchArgs(searcher="wal"))


def test_every_argument_is_of_a_command() -> None:
    from nas_ray.reproduce.args import ReproduceArgs
    from nas_ray.search.arguments import SkipReaArgs

    fields = {
        name
        for kind in (AnySearchArgs, SkipReaArgs, CorrelateArgs, CompareArgs, ReproduceArgs)
        for name in kind.__dataclass_fields__
    }
    assert set(ARGUMENTS) <= fields
