"""The README says how many proxies and searchers there are."""

import re
from pathlib import Path

from nas_ray.commands.names import PROXIES, SEARCHERS


def test_readme_counts_proxies_and_searchers() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    found = re.search(r"beside (\d+) proxies and (\d+)\s+searchers", text)
    assert found is not None
    assert (int(found[1]), int(found[2])) == (len(PROXIES), len(SEARCHERS))
