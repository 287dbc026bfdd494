"""What a setting may be, how it is written, and how a point is."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.spaces import Choice, Interval, NatsTss, arch_of, settings_of
from nas_ray.spaces.dependence import corners
from nas_ray.spaces.settings import named_space, parse_settings, point_of, read_settings, written

SETTINGS = [
    "log:0.01..1",
    "0.01..1",
    "0.0..1.0",
    "1..4",
    "log:16..512",
    "5..100000",
    "0.001..1000.5",
    "-1..1.5",
]


def interval(text: str) -> Interval:
    made = parse_settings(f"x={text}")["x"]
    assert isinstance(made, Interval)
    return made


@pytest.mark.parametrize(
    "text", [*SETTINGS, "0.01/0.1/1", "true/false", "cosine/linear", "0.1", "32-true/bf16-mixed"]
)
def test_what_is_written_is_read(text: str) -> None:
    settings = parse_settings(f"x={text},y=1..3")
    assert written(settings) == f"x={text},y=1..3"
    assert parse_settings(written(settings)) == settings


def test_a_value_has_one_text() -> None:
    assert parse_settings("a=0.10/1e-1x/1.0/True/007/1e3")["a"] == Choice(
        ("0.1", "1e-1x", "1", "true", "7", "1000")
    )
    assert Choice([0.1, 64, 1e-5, True]).options == ("0.1", "64", "1e-05", "true")
    assert str(interval("1e-2..0.50")) == "0.01..0.5"


@pytest.mark.parametrize("text", SETTINGS)
def test_draws_and_neighbours_stay_inside_and_are_symmetric(text: str) -> None:
    setting = interval(text)
    rng = np.random.default_rng(0)
    drawn = [setting.sample(rng) for _ in range(200)]
    rng = np.random.default_rng(0)
    assert drawn == [setting.sample(rng) for _ in range(200)]
    for value in (*drawn, *setting.corners):
        near = setting.neighbors(value)
        assert value in setting
        assert near == sorted({*near} - {value}, key=float)
        assert near
        assert all(other in setting and value in setting.neighbors(other) for other in near)
        assert not setting.whole or value.lstrip("-").isdecimal()


def test_a_logarithmic_interval_is_drawn_evenly_per_decade() -> None:
    setting, rng = Interval(1e-4, 1.0, log=True), np.random.default_rng(1)
    decades = np.floor(np.log10([float(setting.sample(rng)) for _ in range(1_000)]) + 1e-9)
    counts = [int((decades == decade).sum()) for decade in (-4, -3, -2, -1)]
    assert min(counts) > 200
    values = np.array([float(interval("0.0001..1").sample(rng)) for _ in range(1_000)])
    assert np.mean(values < 0.5) == pytest.approx(0.5, abs=0.06)


def test_neighbours_are_shares_of_the_scale() -> None:
    # ten steps, fifty and two hundred of a thousand, of two decades: factors 10^0.02, 10^0.1 and 10^0.4
    assert interval("log:0.01..1").neighbors("0.1") == [
        "0.03981",
        "0.07943",
        "0.0955",
        "0.1047",
        "0.1259",
        "0.2512",
    ]
    assert interval("0.0..1.0").neighbors("0.5") == ["0.3", "0.45", "0.49", "0.51", "0.55", "0.7"]
    assert interval("1..4").neighbors("1") == ["2"]
    assert interval("1..101").neighbors("1") == ["2", "6", "21"]
    assert interval("log:0.01..1").neighbors("0.01") == ["0.01047", "0.01259", "0.02512"]
    assert interval("0.0..1.0").neighbors("0.50004") == ["0.3", "0.45", "0.49", "0.51", "0.55", "0.7"]
    assert Choice((1, 2, 3)).neighbors("2") == ["1", "3"]


@pytest.mark.parametrize(
    ("value", "inside"), [("0.1", True), ("0.10", False), ("2", False), ("x", False), ("1", True)]
)
def test_what_is_in_an_interval(value: str, inside: bool) -> None:
    assert (value in interval("log:0.01..1")) is inside
    assert "1.5" not in interval("1..4")


FORMS = (
    "must read {0}=0.01/0.1/1 for a choice, {0}=0.01..1 for a range, or {0}=log:0.01..1 for one on a "
    "logarithmic scale; got "
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f"A setting {FORMS.format('lr')}''."),
        ("lr", f"A setting {FORMS.format('lr')}'lr'."),
        ("lr=0.1,", f"A setting {FORMS.format('lr')}''."),
        ("1r=2", f"A setting {FORMS.format('lr')}'1r=2'."),
        ("wd=1..", f"The setting wd {FORMS.format('wd')}'1..'."),
        ("lr=log:1/2", f"The setting lr {FORMS.format('lr')}'log:1/2'."),
        ("lr=0..nan", f"The setting lr {FORMS.format('lr')}'0..nan'."),
        ("lr=1e999..2", f"The setting lr {FORMS.format('lr')}'1e999..2'."),
        ("lr=1..2..3", f"The setting lr {FORMS.format('lr')}'1..2..3'."),
        (
            "lr=2..1",
            "The setting lr cannot be 2..1: The first limit of a range must be below the second, got '2..1'; "
            "give one value as in lr=0.1.",
        ),
        (
            "lr=log:0..1",
            "The setting lr cannot be log:0..1: A range on a logarithmic scale must begin above 0, got "
            "'log:0..1'.",
        ),
        (
            "lr=1/1.0",
            "The setting lr cannot be 1/1.0: A choice must name each of its values once, got '1/1'.",
        ),
        (
            "lr=1|2",
            "The setting lr cannot be 1|2: A value must be a number or a word of letters, digits and _.+-, "
            "got '1|2'.",
        ),
        ("lr=1,lr=2", "Each setting must be given once, got lr twice."),
    ],
)
def test_what_is_no_setting_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_settings(text)
    assert str(refused.value) == said


def test_settings_are_one_text_or_one_each() -> None:
    given = {"lr": "log:0.01..1", "n": Choice((1, 2)), "e": Interval(1, 4)}
    assert read_settings(given) == parse_settings("lr=log:0.01..1,n=1/2,e=1..4")
    for wrong in ({}, {"a b": "1"}):
        with pytest.raises(UsageError, match="Settings must have names such as lr, got"):
            read_settings(wrong)


def test_a_point_is_an_arch_and_its_settings() -> None:
    arch = NatsTss().archs[0]
    point = point_of(arch, {"lr": "0.1", "batch_size": "64"})
    assert point == f"{arch}@lr=0.1,batch_size=64"
    assert (arch_of(point), settings_of(point)) == (arch, {"lr": "0.1", "batch_size": "64"})
    for own in (arch, "conv@3x3", "a@", "a@b", "@", "mail@host,x=1"):  # no settings at their end
        assert (arch_of(own), settings_of(own)) == (own, {})
    assert arch_of("conv@3x3@lr=1") == "conv@3x3"
    assert named_space("nats-tss") == ("nats-tss", {})


def test_settings_are_read_without_anything_heavy() -> None:
    code = (
        "import sys, nas_ray.training.settings, nas_ray.spaces.settings as s; s.parse_settings('lr=0.1..1');"
        "print([m for m in ('numpy', 'torch', 'ray', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_corners_grow_with_the_settings_and_not_with_their_product() -> None:
    settings = parse_settings(",".join(f"s{n}=1/2/3/4" for n in range(12)))
    points = list(corners(settings))
    assert len(points) == 12 * 4 + 66 * 4
    assert all(list(point) == list(settings) for point in points)
    assert {point["s7"] for point in points} == {"1", "2", "3", "4"}
    pairs = {(point["s3"], point["s9"]) for point in points}
    assert {("1", "1"), ("1", "4"), ("4", "1"), ("4", "4")} <= pairs
