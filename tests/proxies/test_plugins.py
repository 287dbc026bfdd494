from __future__ import annotations

import os
import random
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.process.plugins import resolve
from nas_ray.proxies import PROXIES
from nas_ray.proxies.measured import MEASURED
from nas_ray.proxies.plugin import check_proxy, known_columns, resolve_proxies, score_names
from nas_ray.rows import RESERVED


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


STATES = {
    "torch's default dtype": lambda: torch.set_default_dtype(torch.float64),
    "torch's default device": lambda: torch.set_default_device("meta"),
    "torch's number of threads": lambda: torch.set_num_threads(2),
    "torch's grad mode": lambda: torch.set_grad_enabled(False),
    "torch's deterministic flags": lambda: torch.use_deterministic_algorithms(True),
    "torch's flags of cuDNN": lambda: setattr(torch.backends.cudnn, "benchmark", True),
}


@pytest.mark.parametrize("state", STATES)
def test_a_proxy_that_changes_what_scores_are_made_with_is_named(state: str) -> None:
    def changes(net, inputs, targets):  # type: ignore[no-untyped-def]
        STATES[state]()
        return 1.0

    with pytest.raises(UsageError, match=f"Proxy 'changes' must leave {state} alone; "):
        resolve_proxies([changes])
    assert torch.get_default_dtype() == torch.float32
    assert (torch.get_num_threads(), torch.is_grad_enabled()) == (1, True)
    assert torch.empty(1).device.type == "cpu"


def test_a_proxy_may_change_what_no_score_depends_on(tmp_path: Path) -> None:
    filters = list(warnings.filters)

    def tidy(net, inputs, targets):  # type: ignore[no-untyped-def]
        warnings.simplefilter("ignore")
        np.seterr(all="ignore")
        os.environ["NAS_RAY_TIDY"] = "1"
        os.chdir(tmp_path)
        return 1.0

    before = os.getcwd()
    assert list(resolve_proxies([tidy])) == ["tidy"]
    assert (os.getcwd(), "NAS_RAY_TIDY" in os.environ, list(warnings.filters)) == (before, False, filters)


def named(name: str, value: object = 1.0) -> object:
    def proxy(net, inputs, targets):  # type: ignore[no-untyped-def]
        return value

    proxy.__name__ = name
    return proxy


@pytest.mark.parametrize("name", [*sorted(RESERVED), "mine_seconds", ""])
def test_reserved_names(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_proxies([named(name)])  # type: ignore[list-item]
    assert str(caught.value) == (
        f"A proxy cannot be named {name!r}, which is another column of the rows; rename it."
    )


@pytest.mark.parametrize("name", ["a,b", "a:b", "a;b", "a=b", "a b", " a", "a\n"])
def test_names_that_part_other_names(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve_proxies([named(name)])  # type: ignore[list-item]
    assert str(caught.value) == (
        f"A proxy must be named by a text without blanks and without any of ,:;=, got {name!r}; rename it."
    )


def test_names_that_worked_work() -> None:
    names = ["<lambda>", "Größe", "my.proxy", "score", "rows"]
    assert list(resolve_proxies([named(name) for name in names])) == names  # type: ignore[misc]


def test_columns_that_cannot_be_told_apart() -> None:
    with pytest.raises(UsageError, match=r"The scores of the proxies 'a' and 'a.b' cannot be told apart"):
        resolve_proxies([named("a", {"b": 1.0}), named("a.b")])  # type: ignore[list-item]


@pytest.mark.parametrize("key", ["", "a,b", "mean_seconds", "a ", 1])
def test_keys_of_a_dict_name_columns(key: object) -> None:
    with pytest.raises(UsageError, match="Proxy 'x' must name its scores by texts without a comma"):
        check_proxy("x", named("x", {key: 1.0}))


@pytest.mark.parametrize("value", [b"1", "1", 1j, None, [1.0], torch.zeros(2), 10**400, {}, {"a": b"1"}])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match="Proxy 'x' must return a float or a dict of floats on a small conv"):
        check_proxy("x", named("x", value))


@pytest.mark.parametrize("value", [Decimal(2), Fraction(2), np.int8(2), torch.tensor(2), True + True])
def test_any_number_is_taken(value: object) -> None:
    assert check_proxy("x", named("x", {"k": value})) == ("x.k",)


class NoKey:
    """A proxy without a hash."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]
    __name__ = "no_key"

    def __call__(self, net: object, inputs: object, targets: object) -> dict[str, float]:
        return {"a": 1.0}


def test_columns_of_a_proxy_that_cannot_be_noted() -> None:
    proxies = resolve_proxies([NoKey()])  # type: ignore[list-item]
    assert score_names(proxies) == ["no_key.a"]
    assert known_columns("no_key", proxies["no_key"]) == ()


def test_columns_follow_the_name_of_the_proxy() -> None:
    proxies = resolve_proxies([several])
    assert known_columns("several@1a", proxies["several"]) == ("several@1a.depth", "several@1a.width")


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit(2), GeneratorExit])
def test_a_proxy_that_ends_the_process_is_refused(raised: object) -> None:
    def ends(net, inputs, targets):  # type: ignore[no-untyped-def]
        raise raised  # type: ignore[misc]

    with pytest.raises(UsageError, match="net, but raised (KeyboardI|SystemE|GeneratorE)"):
        check_proxy("ends", ends)
