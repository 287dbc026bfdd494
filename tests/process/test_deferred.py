"""Imports that are put off happen when what they import is used, and others happen as always."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nas_ray.process.deferred import deferred

MODULES = {
    "heavy_/__init__.py": "from heavy_ import parts\n__version__ = '3'\n",
    "heavy_/parts.py": (
        "class Part:\n    pass\n\ndef twice(x):\n    return 2 * x\n\n"
        "def plus(n):\n    return lambda function: lambda x: function(x) + n\n"
    ),
    "heavy_/more.py": "value = 5\n",
    "user_/__init__.py": (
        "import heavy_\nimport heavy_.more\nfrom heavy_.parts import Part, plus, twice\nimport json\n\n"
        "@plus(1)\ndef same(x):\n    return x\n"
    ),
    "other_.py": "import heavy_.parts\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, text in MODULES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] in ("heavy_", "user_", "other_")]:
        del sys.modules[name]


def test_what_is_put_off_works_when_it_is_used(folder: Path) -> None:
    with deferred(("heavy_",), ("user_",)):
        import user_  # type: ignore[import-not-found]  # made above

        assert "heavy_" not in sys.modules
        assert user_.json.dumps(1) == "1"
    assert not isinstance(3, user_.Part)
    assert "heavy_" not in sys.modules
    assert (user_.heavy_.more.value, user_.heavy_.__version__) == (5, "3")
    assert (user_.twice(4), user_.same(4), user_.heavy_.parts.twice(1)) == (8, 5, 2)
    part = sys.modules["heavy_.parts"].Part
    assert [isinstance(thing, user_.Part) for thing in (part(), 3)] == [True, False]
    assert [issubclass(kind, user_.Part) for kind in (part, int)] == [True, False]
    with pytest.raises(ImportError, match=r"heavy_\.none"):
        _ = user_.heavy_.none


def test_others_import_as_always(folder: Path) -> None:
    with deferred(("heavy_",), ("user_",)):
        import other_  # type: ignore[import-not-found]  # made above
    assert other_.heavy_.parts is sys.modules["heavy_.parts"]
    with deferred(("heavy_",), ("user_",)):  # and what is loaded already is no later than it is
        import user_
    assert user_.Part is sys.modules["heavy_.parts"].Part


def test_scoring_imports_neither_compiler_nor_pictures() -> None:
    """What half of the start of a worker went into; metrics that draw pictures still can."""
    program = """
import sys, numpy as np, nas_ray
from nas_ray.drivers.work import work_for
from nas_ray.shared_weights.chunk_scores import ChunkScores
data = np.zeros((2, 3, 8, 8), "float32"), np.arange(2)
space = nas_ray.spaces.NatsTss(channels=4, cells=1)
proxies = nas_ray.resolve_proxies(["naswot", "synflow", "params"])
work = work_for(nas_ray.ProxyScores(space, 2, *data, proxies), None)
work.take([next(iter(space))])
work.step()
heavy = {"torchvision", "matplotlib", "scipy.stats", "torch._dynamo", "ray", "sklearn"}
print(*sorted(heavy & set(sys.modules)))
from torchmetrics.classification import BinaryAccuracy
import torch
metric = BinaryAccuracy()
metric.update(torch.ones(4), torch.ones(4))
print(type(metric.plot()[0]).__name__)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["", "Figure"], done.stderr
