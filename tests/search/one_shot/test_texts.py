"""Methods on the command line."""

from __future__ import annotations

import dataclasses

import pytest

from nas_ray.errors import UsageError
from nas_ray.search.one_shot.args import WITHOUT, OneShotArgs
from nas_ray.search.one_shot.texts import method_texts
from nas_ray.shared_weights.methods.named import METHODS
from nas_ray.shared_weights.prune import NAMES
from nas_ray.spaces import SPACES
from nas_ray.spaces.edges import EdgeSpace
from nas_ray.spaces.named import make_space


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("darts1,gdas,drnas",), ["darts1", "gdas", "drnas"]),
        (("darts1", "gdas"), ["darts1", "gdas"]),
        (("darts1,derive=perturbation,gdas",), ["darts1,derive=perturbation", "gdas"]),
        (("darts1", "darts1,lr=0.1", "darts1"), ["darts1", "darts1,lr=0.1"]),
        (("gdas tau=5,tau_min=1",), ["gdas,tau=5,tau_min=1"]),
    ],
)
def test_changes_belong_to_the_method_before_them(given: tuple[str, ...], expected: list[str]) -> None:
    assert method_texts(given) == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [((), "must name a method"), (("lr=1,darts1",), "begin with a method"), (("darts1,seed=3",), "--seeds")],
)
def test_what_is_no_method_is_told(given: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        method_texts(given)


def test_every_method_has_every_seed() -> None:
    args = OneShotArgs(method=("darts1", "gdas,tau=5"), seeds=2, seed=7)
    assert args.settings == ["darts1,seed=7", "darts1,seed=8", "gdas,tau=5,seed=7", "gdas,tau=5,seed=8"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"method": ("darts3",)}, "one-shot method"),
        ({"method": ("darts1,derive=best",)}, "derive"),
        ({"method": ("darts1,colour=red",)}, "colour"),
        ({"method": ("darts1,lr=fast",)}, "lr"),
        ({"method": ("rs-ws,gradient=first",)}, "weights=uniform"),
        ({"search_set": 1.0}, "search-set"),
        ({"scheduler": "asha", "driver": "process"}, "--driver ray"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_imported(change: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        dataclasses.replace(OneShotArgs(), **change).check()  # type: ignore[arg-type]


def test_help_names_every_method() -> None:
    with open(__import__("nas_ray.search.one_shot.args", fromlist=["x"]).__file__, encoding="utf-8") as file:
        text = " ".join(file.read().split())
    listed = text.partition("separated by commas or spaces: ")[2].partition(" (docs/one_shot.md)")[0]
    named = listed.replace(", and without training ", ", ").replace(" and ", ", ").split(", ")
    assert named == [*METHODS, *NAMES]


@pytest.mark.parametrize("name", SPACES)
def test_spaces_that_are_refused_at_once_have_no_trainable_supernet(name: str) -> None:
    assert isinstance(make_space(name), EdgeSpace) == (name not in WITHOUT)
