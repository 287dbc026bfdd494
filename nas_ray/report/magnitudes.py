"""Whether values ask for a logarithmic scale."""

from __future__ import annotations

import numpy as np

SPREAD = 100
"""A positive score whose largest value is this many times its median is shown on a logarithmic scale."""


def spans_magnitudes(values: np.ndarray) -> bool:
    """Returns whether finite `values` ask for a logarithmic axis."""
    return bool(len(values) and values.min() > 0 and values.max() > SPREAD * np.median(values))
