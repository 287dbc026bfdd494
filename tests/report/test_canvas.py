"""A picture is the same whatever the settings of others say, and one that cannot be drawn costs nothing."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

import nas_ray
from nas_ray.errors import encodable
from nas_ray.report.canvas import Figure, draw, new_figure
from nas_ray.report.cells import draw_cell
from nas_ray.report.distribution import draw_distributions
from nas_ray.report.learning_curves import draw_learning_curves
from nas_ray.train.pictures import confusion, draw_confusion

FOREIGN = {
    "text.usetex": True,
    "figure.dpi": 20.0,
    "savefig.dpi": 30.0,
    "savefig.transparent": True,
    "savefig.bbox": "tight",
    "font.family": ["serif"],
    "axes.facecolor": "black",
    "lines.linewidth": 9.0,
    "figure.autolayout": True,
}
ARCH = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|nor_conv_3x3~2|"
NOT_UTF8 = os.fsdecode(b"caf\xe9")


def pictures(folder: Path) -> dict[str, np.ndarray]:
    folder.mkdir()
    draw_cell(ARCH, folder / "cell.png", index=3)
    scores = pd.DataFrame({"a": np.linspace(0, 1, 50), "b": 10.0 ** np.linspace(0, 9, 50)})
    draw_distributions(scores, ["a", "b"], folder / "scores.png")
    labels = np.arange(3)
    draw_confusion(confusion(labels, labels[::-1], ["a", "b", "$x$"]), folder / "confusion.png", "title")
    return {path.name: imread(path) for path in folder.iterdir()}


def test_pictures_do_not_depend_on_settings(tmp_path: Path) -> None:
    expected = pictures(tmp_path / "plain")
    before = dict(matplotlib.rcParams)
    with matplotlib.rc_context(FOREIGN):  # type: ignore[arg-type]
        found = pictures(tmp_path / "foreign")
        assert matplotlib.rcParams["figure.dpi"] == 20  # a caller's own settings stay
    assert dict(matplotlib.rcParams) == before
    assert set(found) == {"cell.png", "scores.png", "confusion.png"}
    for name, picture in found.items():
        np.testing.assert_array_equal(picture, expected[name], err_msg=name)


@pytest.mark.parametrize(
    ("variables", "content"),
    [
        ({"MPLBACKEND": "module://matplotlib_inline.backend_inline"}, b""),
        ({"MPLBACKEND": "module://nowhere.there"}, b""),
        ({"MPLBACKEND": "nonsense"}, b"figure.dpi: 20\n"),
        ({}, b"\xff\xfe no text"),
        ({"MATPLOTLIBRC": "{here}/other", "MPLBACKEND": "TkAgg"}, b""),
    ],
    ids=["inline", "nowhere", "nonsense", "damaged", "other"],
)
def test_what_matplotlib_cannot_read_is_not_read(
    variables: dict[str, str], content: bytes, tmp_path: Path
) -> None:
    if content:
        (tmp_path / "matplotlibrc").write_bytes(content)
    (tmp_path / "other").write_bytes(b"\xff")
    code = (
        "import os; before = dict(os.environ), os.getcwd()\n"
        "from nas_ray.report.canvas import draw, new_figure; from pathlib import Path\n"
        "draw(Path('x.png'), lambda: new_figure((2, 1)))\n"
        "assert (dict(os.environ), os.getcwd()) == before\n"
    )
    inherited = {name: value.replace("{here}", str(tmp_path)) for name, value in variables.items()}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(Path(nas_ray.__file__).parents[1]), **inherited},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert imread(tmp_path / "x.png").shape == (150, 300, 4)


def failing() -> Figure:
    raise RuntimeError("no such font")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("x.png", "RuntimeError: no such font"),
        ("nowhere/x.png", "FileNotFoundError: [Errno 2] No such file or directory"),
        ("x.format", "ValueError: Format 'format' is not supported"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(
    path: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(tmp_path / path, failing if why.startswith("Runtime") else lambda: new_figure((1, 1)))
    said = capsys.readouterr().err
    assert said.startswith(f"The picture {Path(path).name} cannot be drawn ({why}")
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("rows", [pd.DataFrame({"arch": []}), pd.DataFrame({"arch": ["a"], "curve": ["x"]})])
def test_tables_without_numbers_fail_nothing(rows: pd.DataFrame, tmp_path: Path) -> None:
    draw_learning_curves(rows, tmp_path / "x.png")
    draw_distributions(rows, [], tmp_path / "y.png")
    draw_confusion(pd.DataFrame(), tmp_path / "z.png", "nothing")


def test_an_old_picture_stays_until_there_is_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    draw(path, lambda: new_figure((1, 1)))
    before = path.read_bytes()
    draw(path, failing)
    assert path.read_bytes() == before


def test_a_picture_that_would_be_huge_has_fewer_pixels(tmp_path: Path) -> None:
    draw(tmp_path / "x.png", lambda: new_figure((2, 2_000)))
    height, width, _ = imread(tmp_path / "x.png").shape
    assert height <= 60_000
    assert height == 1_000 * width


@pytest.mark.parametrize(
    "name", ["$\\frac$", "a$b$c", NOT_UTF8, "\ud83d", "日本", "\x00\x1b[31m", "a\nb", "%s{}"]
)
def test_any_name_can_be_drawn(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = np.arange(2)
    counts = confusion(labels, labels, [encodable(name), "b"])
    draw_confusion(counts, tmp_path / "a.png", f"of {name}")
    draw_cell(name, tmp_path / "b.png")
    scores = pd.DataFrame({encodable(name): [1.0, 2.0]})
    draw_distributions(scores, [encodable(name)], tmp_path / "c.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png", "c.png"]
    assert not capsys.readouterr().err


def test_matplotlib_comes_through_one_module() -> None:
    for path in Path(nas_ray.__file__).parents[1].glob("[en]*/**/*.py"):  # experiments and nas_ray
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            drawing = [name for name in names if name.startswith("matplotlib")]
            assert not drawing or path.name == "canvas.py", f"{path}: draw with nas_ray/report/canvas.py"
            assert not any("pyplot" in name for name in drawing), path
            shown = isinstance(node, ast.Attribute | ast.Name) and "ConfusionMatrixDisplay" in ast.unparse(
                node
            )
            assert not shown, f"{path}: scikit-learn's displays import pyplot"
