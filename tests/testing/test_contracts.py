"""The contract tests as authors run them: on the plug-ins of the documents, and on broken ones."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path
from textwrap import dedent

import pytest

from nas_ray.spaces import SearchSpace
from nas_ray.testing import benchmarks, proxies, searchers, spaces, tasks

pytest_plugins = ["pytester"]

LOADED = (benchmarks, proxies, searchers, spaces, tasks)
"""What an inner run finds loaded, as numpy can be loaded but once."""

DOCS = Path(__file__).parents[2] / "docs"

WIDTHS = "from torch import nn\n\n" + dedent((getdoc(SearchSpace) or "").partition("::\n")[2])
MEASURED = "from nas_ray.benchmarks import NB201Benchmark\n\nclass Measured(NB201Benchmark):\n    pass\n"


def blocks(page: str) -> list[str]:
    """Returns the examples of a document, of which the one with the test comes first."""
    found = re.findall(r"```python[^\n]*\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    return sorted(found, key=lambda block: "nas_ray.testing" not in block)


def walk() -> str:
    return next(block for block in blocks("searchers.md") if "class Walk" in block)


def active_share() -> str:
    return next(block for block in blocks("new_proxy.md") if "def active_share" in block)


def moons() -> str:
    return next(block for block in blocks("new_task.md") if "class Moons" in block)


PLUG_INS = {
    "new_proxy.md": active_share(),
    "searchers.md": walk(),
    "spaces.md": WIDTHS,
    "benchmarks.md": MEASURED,
    "new_task.md": moons(),
}


def broken() -> Iterator[tuple[str, str, str, str]]:
    """Yields page, test, and what in the plug-in becomes what else."""
    for test, line in (
        ("test_equal_nets", "shares = [torch.rand(())]"),
        ("test_one_image", "shares = [] if len(inputs) > 1 else None"),
        ("test_what_others_use", "inputs.zero_(); shares = []"),
        (
            "test_an_arch_without",
            "shares = [torch.tensor(torch.inf)]",
        ),
    ):
        yield "new_proxy.md", test, "shares = []", line
    yield "searchers.md", "test_equal_seeds", "self.rng", "np.random"
    yield "searchers.md", "test_global_random_state", "self.rng", "np.random"
    yield "searchers.md", "test_saved_and_restored", "self.rng", "np.random"
    yield (
        "searchers.md",
        "test_all_failed",
        "if not self.history",
        "if not [r['x'] for r in self.history]",
    )
    near = "def neighbors(self, arch): return [arch]"
    yield "spaces.md", "test_neighbours", "    def build", f"    {near}\n\n    def build"
    yield (
        "spaces.md",
        "test_archs_are_strings",
        "str(rng.integers(1, 9))",
        "rng.integers(1, 9)",
    )
    yield "benchmarks.md", "test_a_query", "pass", "query = None"
    yield "benchmarks.md", "test_an_unknown_arch", "pass", "def test_acc(self, arch): return 1.0"
    yield "new_task.md", "test_an_epoch_is_a_function", "default_rng((seed, epoch))", "default_rng()"
    yield "new_task.md", "test_seeds_and_epochs", "default_rng((seed, epoch))", "default_rng(seed)"
    yield "new_task.md", "test_the_minibatch", "self.points[:64].clone()", "self.points[:64]"
    yield "new_task.md", "test_the_metric", "100.0 *", "-100.0 *"
    yield "new_task.md", "test_the_loss", "return cross_entropy", "return -cross_entropy"
    yield "new_task.md", "test_a_net_learns", "default_rng((seed, epoch))", "default_rng()"
    yield "new_task.md", "test_it_is_a_task", 'return "two moons, 400 points"', "return None"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    with contextlib.suppress(ImportError):  # what an inner run would load and forget can be loaded but once
        importlib.import_module("torch._inductor.test_operators")
    yield
    for name in ("mine", "test_mine"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("page", PLUG_INS)
def test_the_plug_in_of_a_document_passes_in_three_lines(pytester: pytest.Pytester, page: str) -> None:
    lines = blocks(page)[0]
    assert len([line for line in lines.splitlines() if line]) == 3
    pytester.makepyfile(mine=PLUG_INS[page], test_mine=lines)
    pytester.syspathinsert()
    outcome = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider").parseoutcomes()
    assert outcome["passed"] >= 9
    assert set(outcome) <= {"passed", "warnings"}


@pytest.mark.parametrize(("page", "test", "old", "new"), list(broken()))
def test_a_broken_plug_in_fails(pytester: pytest.Pytester, page: str, test: str, old: str, new: str) -> None:
    assert old in PLUG_INS[page]
    pytester.makepyfile(mine=PLUG_INS[page].replace(old, new), test_mine=blocks(page)[0])
    pytester.syspathinsert()
    outcome = pytester.runpytest_inprocess("-q", "-p", "no:cacheprovider", "-k", test).parseoutcomes()
    assert outcome["failed"] >= 1
    assert "errors" not in outcome
