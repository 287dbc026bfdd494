"""The page on trained nets, run as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.guards.commands import call, write_model

PAGE = Path(__file__).parents[2] / "docs" / "trained_net.md"


def test_the_lines_are_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("runs/trained", "photos"):
        Path(folder).mkdir(parents=True)
    write_model(Path("runs/trained/model.pt"))
    Image.new("RGB", (40, 30), "red").save("photo.jpg")
    Image.new("L", (20, 50)).save("photos/black.png")
    blocks = re.findall(r"```(bash|python)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert [kind for kind, _ in blocks] == ["bash", "python"]
    _, *words = shlex.split(blocks[0][1])
    ended = call(None, *words)
    assert ended.code == 0, ended
    assert "photos/black.png" in ended.out
    assert pd.read_csv("classes.csv")["image"].tolist() == ["photo.jpg", "photos/black.png"]
    exec(blocks[1][1], {})
    assert capsys.readouterr().out.count("photo.jpg") == 2
