"""The examples of docs/library.md run as they stand, one after the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[2] / "docs" / "library.md").read_text(encoding="utf-8")


def test_a_search_is_cancelled_and_goes_on(tmp_path: Path) -> None:
    names: dict[str, Any] = {"folder": tmp_path / "run"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(block, names)
    assert (names["outcome"].status, len(names["outcome"].rows)) == ("finished", 60)
    assert (names["cancelled"].status, len(names["cancelled"].rows)) == ("cancelled", 80)
    assert (names["resumed"].status, len(names["resumed"].rows)) == ("finished", 100)
    assert names["resumed"].best["valid_acc"] > 85
