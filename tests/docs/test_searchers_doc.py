"""The table of docs/searchers.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from nas_ray.searchers import SEARCHERS
from nas_ray.searchers.options import option_defaults

PAGE = (Path(__file__).parents[2] / "docs" / "searchers.md").read_text(encoding="utf-8")


def test_the_table_names_every_searcher_and_option_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `\w+` \| (.*) \|$", PAGE, flags=re.MULTILINE))
    assert list(rows) == list(SEARCHERS)
    shared = set(option_defaults(SEARCHERS["rea"]))
    for name, make in SEARCHERS.items():
        assert f"| `{name}` | `{make.__name__}` |" in PAGE
        own = {
            k: v
            for k, v in option_defaults(make).items()
            if name == "rea" or k not in shared or "those of" not in rows[name]
        }
        for option, default in own.items():
            text = str(default).lower() if isinstance(default, bool) else default
            plain = default is None or callable(default) or default == ()
            option = option.rstrip("_")  # as_ of Python is as on the command line
            assert (f"`{option}`" if plain else f"`{option}={text}`") in rows[name]
