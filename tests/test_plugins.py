from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.plugins import resolve
from nas_ray.proxies import PROXIES
from nas_ray.proxies.measured import MEASURED
from nas_ray.proxies.plugin import check_proxy, resolve_proxies, score_names


def good(net, inputs, targets):  # type: ignore[no-untyped-def]
    return float(sum(p.abs().sum().item() for p in net.parameters()))


def several(net, inputs, targets):  # type: ignore[no-untyped-def]
    return {"depth": 3, "width": 8.0}


def test_built_in_names() -> None:
    assert list(resolve_proxies(["naswot", "params"])) == ["naswot", "params"]


def test_functions_and_module_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_proxy_file.py").write_text(
        "def depth(net, inputs, targets):\n    return len(list(net.modules()))\n"
    )
    monkeypatch.chdir(tmp_path)
    proxies = resolve_proxies([good, "my_proxy_file:depth"])
    assert list(proxies) == ["good", "depth"]
    assert score_names(proxies) == ["good", "depth"]


def test_a_dict_gives_one_score_per_entry() -> None:
    assert score_names(resolve_proxies(["params", several])) == ["params", "several.depth", "several.width"]


KNOWN = sorted({**PROXIES, **MEASURED})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["naswott"], f"Unknown proxy 'naswott'. Did you mean 'naswot'? Known: {', '.join(KNOWN)}, "
                      "or your own as module:name."),
        (["params", "params"], "Each proxy needs its own name, but 'params' was given twice; rename one."),
        ([], f"At least one proxy is needed; known: {', '.join(sorted(PROXIES))}."),
    ],
)  # fmt: skip
def test_wrong_names(given: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_proxies(given)
    assert str(caught.value) == message


def test_missing_module_and_missing_function() -> None:
    with pytest.raises(UsageError, match="needs an importable module 'no_such_module'"):
        resolve("proxy", "no_such_module:f", {})
    with pytest.raises(UsageError, match=r"names 'no_such_name', which .*json.* does not define"):
        resolve("proxy", "json:no_such_name", {})


def raises(net, inputs, targets):  # type: ignore[no-untyped-def]
    raise RuntimeError("no")


def returns_text(net, inputs, targets):  # type: ignore[no-untyped-def]
    return "high"


def changes_inputs(net, inputs, targets):  # type: ignore[no-untyped-def]
    return float(inputs.mul_(2).sum())


def draws(net, inputs, targets):  # type: ignore[no-untyped-def]
    return float(torch.rand(1))


def draws_from_numpy(net, inputs, targets):  # type: ignore[no-untyped-def]
    return 0 * np.random.rand()  # noqa: NPY002


def draws_from_python(net, inputs, targets):  # type: ignore[no-untyped-def]
    return 0 * random.random()


calls = iter(range(100))


def drifts(net, inputs, targets):  # type: ignore[no-untyped-def]
    return float(next(calls))


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        (raises, "Proxy 'raises' must return a float or a dict of floats on a small convolutional net, but "
                 "raised RuntimeError: no."),
        (returns_text, "Proxy 'returns_text' must return a float or a dict of floats on a small "
                       "convolutional net, but returned 'high'."),
        (changes_inputs, "Proxy 'changes_inputs' must not change its inputs or targets; work on a clone."),
        (draws, "Proxy 'draws' must leave torch's global random state alone; use a generator of its own, "
                "such as torch.Generator."),
    ],
)  # fmt: skip
def test_broken_proxies_are_named(proxy: object, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_proxy(getattr(proxy, "__name__", ""), proxy)
    assert str(caught.value) == message


def test_the_random_states_of_numpy_and_python_count() -> None:
    with pytest.raises(UsageError, match="must leave numpy's global random state alone"):
        check_proxy("draws", draws_from_numpy)
    with pytest.raises(UsageError, match="must leave Python's global random state alone"):
        check_proxy("draws", draws_from_python)


def test_a_proxy_must_be_deterministic_and_callable() -> None:
    with pytest.raises(UsageError, match="Proxy 'drifts' must be deterministic, but gave"):
        check_proxy("drifts", drifts)
    with pytest.raises(UsageError, match="Proxy 'x' must be a function"):
        check_proxy("x", 3)
