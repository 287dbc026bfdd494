from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from nas_ray.score_space.classes import OF_THE_FUNCTION, Classes
from nas_ray.score_space.run import cut
from nas_ray.shared_weights.one_by_one import alike_together
from nas_ray.spaces import NatsTss
from nas_ray.spaces.canonical import canonical_form
from tests.proxies.nets import DISCONNECTED

FIRST = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"
SAME = "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|skip_connect~2|"
DEAD = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|skip_connect~1|none~2|"
OTHER = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|avg_pool_3x3~1|none~2|"
ARCHS = [FIRST, OTHER, SAME, DEAD, DISCONNECTED]


def test_one_stands_for_its_class_where_a_proxy_sees_the_function() -> None:
    classes = Classes(ARCHS, wanted=True)
    missing = dict.fromkeys(ARCHS, ("synflow", "naswot"))
    left = classes.without_repeats(missing)
    assert left == {**missing, SAME: ("naswot",), DEAD: ("naswot",)}
    table = pd.DataFrame({
        "arch": ARCHS,
        "synflow": [1.0, 2.0, np.nan, np.nan, np.nan],
        "naswot": [1.0, 2.0, 3.0, 4.0, 5.0],
        "error": pd.array([None, None, None, None, "synflow is nan"], dtype="string"),
    })  # fmt: skip
    spread = classes.spread(table, ["synflow", "naswot"])
    assert spread["scored_as"].tolist() == [FIRST, OTHER, FIRST, FIRST, DISCONNECTED]
    assert spread["synflow"].tolist()[:4] == [1.0, 2.0, 1.0, 1.0]
    assert spread["naswot"].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert spread["error"].isna().tolist() == [True, True, True, True, False]


def test_the_failure_of_who_stands_for_others_is_theirs() -> None:
    table = pd.DataFrame({
        "arch": [FIRST, SAME, OTHER],
        "synflow": [np.nan, np.nan, 1.0],
        "error": pd.array(["synflow is nan", None, None], dtype="string"),
    })  # fmt: skip
    spread = Classes(table["arch"].tolist(), wanted=True).spread(table, ["synflow"])
    assert spread["error"].fillna("").tolist() == ["synflow is nan", "synflow is nan", ""]


def test_unasked_each_arch_stands_for_itself() -> None:
    classes = Classes(ARCHS, wanted=False)
    missing = dict.fromkeys(ARCHS, ("synflow",))
    assert classes.without_repeats(missing) == missing
    table = pd.DataFrame({"arch": ARCHS, "synflow": 1.0, "error": pd.array([None] * 5, dtype="string")})
    assert "scored_as" not in classes.spread(table, ["synflow"])


def test_these_proxies_depend_on_the_function_alone() -> None:
    """Different names of weights, so scores are compared over initialisations, and dead parts exactly."""
    from nas_ray.shared_weights import BATCHED
    from tests.proxies.nets import batch
    from tests.shared_weights.test_batched import SPACE, supernet

    assert canonical_form(FIRST) == canonical_form(DEAD) == canonical_form(SAME)
    net = supernet(SPACE)
    inputs, targets = batch(6, size=16)
    for name in OF_THE_FUNCTION:
        first, dead = (
            BATCHED[name](net, [FIRST], inputs, targets),
            BATCHED[name](net, [DEAD], inputs, targets),
        )
        assert np.isclose(first, dead, rtol=1e-9), name


def test_chunks_are_slices_of_alike_archs_in_mixed_order(tmp_path: Path) -> None:
    archs = alike_together(list(NatsTss())[:100])
    groups = cut(archs, {arch: ("a",) for arch in archs if arch != archs[3]}, 10)
    chunks = groups[("a",)]
    assert sorted(arch for chunk in chunks for arch in chunk) == sorted(set(archs) - {archs[3]})
    starts = [archs.index(chunk[0]) for chunk in chunks]
    assert starts != sorted(starts)
    assert all(
        chunk == [a for a in archs[i : i + 10] if a != archs[3]]
        for chunk, i in zip(chunks, starts, strict=True)
    )
