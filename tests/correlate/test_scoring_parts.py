from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas_ray.correlate.parts import Part, join_parts, new_part, read_parts
from nas_ray.correlate.scoring import missing
from nas_ray.errors import UsageError
from nas_ray.proxies import PROXIES, Proxy
from nas_ray.proxies.identity import identity

SAME = {"images": "digits", "init_seed": 0}


def width(net, inputs, targets):  # type: ignore[no-untyped-def]
    return 1.0


TWO: dict[str, Proxy] = {"params": PROXIES["params"], "width": width}


def written(folder: Path, proxies: Mapping[str, Proxy], *rows: dict[str, Any]) -> Part:
    part = new_part(folder, proxies, SAME)
    lines = [
        line
        for trial, row in enumerate(rows)
        for line in (
            {"event": "ask", "trial": trial, "arch": row["arch"]},
            {"event": "tell", "trial": trial, "row": row},
        )
    ]
    (part.folder / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return part


def test_more_archs_with_fewer_proxies_lose_nothing(tmp_path: Path) -> None:
    written(tmp_path, TWO, {"arch": "a", "params": 1.0, "width": 2.0, "params_seconds": 0.5, "error": None})
    written(tmp_path, {"params": PROXIES["params"]}, {"arch": "b", "params": 3.0, "error": None})
    parts = read_parts(tmp_path, SAME)
    assert missing(parts, ["a", "b", "c"], TWO) == {("width",): ["b"], ("params", "width"): ["c"]}
    table = join_parts(parts, ["b", "a"], TWO)
    assert table["arch"].tolist() == ["b", "a"]
    assert table["params"].tolist() == [3.0, 1.0]
    assert np.isnan(table["width"][0])
    assert table["seconds"].tolist() == [0, 0.5]


def test_a_row_of_a_lost_worker_is_scored_again(tmp_path: Path) -> None:
    part = written(
        tmp_path, TWO, {"arch": "a", "error": "the worker died"}, {"arch": "b", "params": None, "width": 1.0}
    )
    parts = read_parts(tmp_path, SAME)
    assert missing(parts, ["a", "b"], TWO) == {("params", "width"): ["a"]}
    assert parts[0].fits(TWO)
    assert parts[0].folder == part.folder
    assert join_parts(parts, ["a"], TWO)["error"][0] == "the worker died"


def test_another_function_of_that_name_is_another_proxy(tmp_path: Path) -> None:
    def other(net, inputs, targets):  # type: ignore[no-untyped-def]
        return 2.0

    written(tmp_path, TWO, {"arch": "a", "params": 1.0, "width": 2.0})
    changed = {**TWO, "width": other}
    assert identity("width", width) != identity("width", other)
    assert missing(read_parts(tmp_path, SAME), ["a"], changed) == {("width",): ["a"]}
    assert "width" not in join_parts(read_parts(tmp_path, SAME), ["a"], changed)


def test_errors_of_all_parts_are_kept(tmp_path: Path) -> None:
    written(tmp_path, {"params": PROXIES["params"]}, {"arch": "a", "params": None, "error": "params: no"})
    written(tmp_path, {"width": width}, {"arch": "a", "width": None, "error": "width: no"})
    assert join_parts(read_parts(tmp_path, SAME), ["a"], TWO)["error"][0] == "params: no; width: no"


def test_a_part_without_a_run_file_gets_out_of_the_way(tmp_path: Path) -> None:
    (tmp_path / "000").mkdir()  # killed between the two
    assert read_parts(tmp_path, SAME) == []
    assert new_part(tmp_path, TWO, SAME).folder.name == "001"


def test_other_settings_are_named(tmp_path: Path) -> None:
    written(tmp_path, TWO)
    with pytest.raises(UsageError) as caught:
        read_parts(tmp_path, {**SAME, "images": "cifar10"})
    assert str(caught.value) == (
        f"The folder {tmp_path / '000'} holds scores with images digits, but now it is cifar10; choose "
        "another --out."
    )


@pytest.mark.parametrize("proxies", [None, "params", ["params"], {"params": 3}])
def test_a_damaged_part_is_named(tmp_path: Path, proxies: object) -> None:
    part = written(tmp_path, TWO)
    content = {"format": 1, "proxies": proxies, **SAME}
    (part.folder / "run.json").write_text(json.dumps(content))
    with pytest.raises(UsageError, match="must name the proxies of this part; remove .*000 to score"):
        read_parts(tmp_path, SAME)


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    written(tmp_path, TWO, {"arch": "a", "params": "many"})
    with pytest.raises(UsageError, match="but one does not; remove .* or correct params 'many' of 'a'"):
        read_parts(tmp_path, SAME)
