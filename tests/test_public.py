"""The names of the package itself."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

import nas_ray
from nas_ray import benchmarks


@pytest.mark.parametrize("name", nas_ray.__all__)
def test_every_public_name_is_there_and_not_deprecated(name: str, recwarn: pytest.WarningsRecorder) -> None:
    assert getattr(nas_ray, name) is not None
    assert not [warning for warning in recwarn if "has moved" in str(warning.message)]


@pytest.mark.parametrize(
    ("name", "room"),
    [
        ("NatsTss", "spaces"),
        ("RandomSearch", "searchers"),
        ("RegularizedEvolution", "searchers"),
        ("SkipRea", "searchers"),
    ],
)
def test_an_old_name_works_and_says_where_it_is(name: str, room: str) -> None:
    with pytest.warns(
        DeprecationWarning, match=rf"^nas_ray\.{name} has moved; write nas_ray\.{room}\.{name}\.$"
    ) as caught:
        found = getattr(nas_ray, name)
    assert found is getattr(getattr(nas_ray, room), name)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("package", [nas_ray, benchmarks, nas_ray.spaces, nas_ray.testing])
def test_public_names_are_listed_and_there(package: ModuleType) -> None:
    assert dir(package) == sorted(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)


def test_an_old_name_is_deprecated_each_time_and_not_listed() -> None:
    for _ in range(2):
        with pytest.warns(DeprecationWarning, match="has moved"):
            assert nas_ray.SkipRea is nas_ray.searchers.SkipRea  # type: ignore[attr-defined]
    assert "SkipRea" not in dir(nas_ray)


def test_a_name_that_is_none_is_an_error() -> None:
    with pytest.raises(AttributeError, match="^No nas_ray attribute nothing$"):
        getattr(nas_ray, "nothing")  # noqa: B009


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = "{'ray', 'torch', 'pandas', 'numpy', 'pytest', 'importlib.metadata', 'nas_ray.errors'}"
    probe = f"import sys, nas_ray; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_things_are_opened_by_name() -> None:
    assert isinstance(nas_ray.open_space("nats-tss"), nas_ray.spaces.NatsTss)
    assert isinstance(nas_ray.open_space("nats-tss"), nas_ray.SearchSpace)
    assert isinstance(nas_ray.open_benchmark("nb201", "cifar10"), nas_ray.Benchmark)
    with pytest.raises(nas_ray.UsageError):
        nas_ray.open_space("nothing")
