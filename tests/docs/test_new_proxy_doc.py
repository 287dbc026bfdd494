"""The document on plug-ins, run as it stands."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from nas_ray.proxies.plugin import resolve_proxies

DOCUMENT = (Path(__file__).parents[2] / "docs" / "new_proxy.md").read_text()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with the document's proxy and entry point."""
    code, table = (
        re.search(r"```python mine.py\n(.*?)```", DOCUMENT, re.S),
        re.search(r"```toml\n(.*?)```", DOCUMENT, re.S),
    )
    assert code
    assert table
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "__init__.py").touch()
    (tmp_path / "my_package" / "mine.py").write_text(code[1])
    info = tmp_path / "my_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    name, target = re.findall(r'(\w+) = "(.*)"', table[1])[0]
    (info / "entry_points.txt").write_text(
        f"[nas_ray.proxies]\n{name} = {target}\nbroken = my_package.none:f\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for module in [name for name in sys.modules if name.startswith("my_package")]:
        del sys.modules[module]


@pytest.mark.usefixtures("package")
def test_an_entry_point_is_a_proxy_by_its_name() -> None:
    proxies = resolve_proxies(["naswot", "active_share"])
    assert list(proxies) == ["naswot", "active_share"]
    net = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
    inputs = torch.tensor([1.0, -1.0, 2.0, 0.0]).view(1, 1, 2, 2).expand(2, 3, 2, 2)
    assert proxies["active_share"](net, inputs, torch.zeros(2)) == 0.5


@pytest.mark.usefixtures("package")
def test_an_entry_point_that_cannot_be_loaded() -> None:
    from nas_ray.errors import UsageError

    with pytest.raises(UsageError) as caught:
        resolve_proxies(["broken"])
    assert str(caught.value).startswith(
        "The proxy 'broken' of package 'my-package' cannot be loaded: ModuleNotFound"
    )
