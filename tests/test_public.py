"""The names of the package itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

import nas_ray


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


def test_a_name_that_is_none_is_an_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'nas_ray' has no attribute 'nothing'$"):
        getattr(nas_ray, "nothing")  # noqa: B009


def test_importing_the_package_imports_nothing_heavy() -> None:
    probe = (
        "import sys, nas_ray; print(sorted({'ray', 'torch', 'pandas', 'numpy', 'pytest'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_things_are_opened_by_name() -> None:
    assert isinstance(nas_ray.open_space("nats-tss"), nas_ray.spaces.NatsTss)
    assert isinstance(nas_ray.open_space("nats-tss"), nas_ray.SearchSpace)
    assert isinstance(nas_ray.open_benchmark("nb201", "cifar10"), nas_ray.Benchmark)
    with pytest.raises(nas_ray.UsageError):
        nas_ray.open_space("nothing")
