"""What a training has come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True)
class Outcome:
    """What is told of a training that has ended.

    Attributes:
        summary: a row per arch.
        results: a row per net.
        exported: the row of the net in `model.pt`.
        differences: largest difference of a logit, by exported format.
        info: `run.json`.
    """

    summary: pd.DataFrame
    results: pd.DataFrame
    exported: Mapping[str, Any]
    differences: Mapping[str, float]
    info: Mapping[str, Any]
