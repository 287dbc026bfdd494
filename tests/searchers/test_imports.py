"""What a searcher is made of needs neither Ray nor torch."""

from __future__ import annotations

import subprocess
import sys

PROBE = """
import sys
import nas_ray.searchers, nas_ray.searchers.named, nas_ray.spaces.filtered
print(sorted({name.split(".")[0] for name in sys.modules} & {"ray", "torch", "pytorch_lightning"}))
"""


def test_searchers_import_neither_ray_nor_torch() -> None:
    found = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
