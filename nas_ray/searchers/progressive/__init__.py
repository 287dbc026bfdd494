"""Progressive search: from small archs to large ones, with a net that predicts which are worth a training."""

from __future__ import annotations

from nas_ray.searchers.progressive.search import ProgressiveSearch

__all__ = ["ProgressiveSearch"]
