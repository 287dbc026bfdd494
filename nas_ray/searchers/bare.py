"""What Ray Tune calls of a `search_alg`, which a searcher of ours is not by itself."""

from __future__ import annotations

from typing import Any

from nas_ray.errors import UsageError


class Bare:
    """Answers Ray Tune in a sentence where `nas_ray.TuneSearcher` was forgotten."""

    def set_search_properties(self, *_: Any, **__: Any) -> bool:
        """Is called first where there is a `param_space`.

        Raises:
            UsageError: always.
        """
        name = type(self).__name__
        raise UsageError(
            f"Ray Tune takes a searcher of nas_ray as search_alg=nas_ray.TuneSearcher({name}(...)), got the "
            f"bare {name}; wrap it."
        )

    add_configurations = set_search_properties
