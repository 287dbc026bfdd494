"""docs/one_shot.md names all methods as they are."""

from __future__ import annotations

import re
from pathlib import Path

from nas_ray.shared_weights.methods.method import PARTS, Method
from nas_ray.shared_weights.methods.named import METHODS, parse_method
from nas_ray.shared_weights.prune import NAMES
from nas_ray.shared_weights.prune.named import parse_pruning

PAGE = (Path(__file__).parents[2] / "docs" / "one_shot.md").read_text(encoding="utf-8")


def test_every_method_is_listed_with_its_paper_and_parts() -> None:
    table = dict(re.findall(r"^\| `([\w-]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    assert list(METHODS) == [name for name in table if name in METHODS]
    for name, method in METHODS.items():
        paper, made_of = table[name].split(" | ")
        assert paper == method.source
        for part, value in re.findall(r"`(\w+)=([\w-]+)`", made_of):
            assert str(getattr(method, part)) == value


def test_what_is_special_about_a_method_is_said() -> None:
    table = dict(re.findall(r"^\| `([\w-]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    for name, method in METHODS.items():
        for part in PARTS:
            value = getattr(method, part)
            if value != getattr(Method("plain"), part) and part != "order":
                assert f"{part}={value}" in table[name], (name, part)


def test_the_methods_of_its_commands_are_methods() -> None:
    commands = re.findall(r"--method (.+?) --", PAGE)
    texts = [text for command in commands for text in command.split()]
    assert "darts1,derive=perturbation,tune_epochs=1" in texts
    for name in (name for text in texts for name in ([text] if "=" in text else text.split(","))):
        parse_pruning(name) if name in NAMES else parse_method(name)
