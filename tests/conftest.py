from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder with the real tables and images; tests that use it are marked `data`."""
    default = Path(__file__).parents[2] / "shared" / "data"
    path = Path(os.environ.get("NAS_RAY_TEST_DATA", default))
    if not path.is_dir():
        pytest.skip(f"no data folder at {path}; set NAS_RAY_TEST_DATA")
    return path
