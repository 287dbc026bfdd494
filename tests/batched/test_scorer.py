from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from nas_ray.batched.scorer import ChunkScorer
from nas_ray.spaces import NatsTss
from tests.proxies.nets import CONNECTED, DISCONNECTED, batch

SPACE = NatsTss(channels=4, cells=1)
ARCHS = [*CONNECTED, DISCONNECTED]
PROXIES = ("naswot", "synflow", "snip", "fisher", "params")


def scorer(proxies: tuple[str, ...] = PROXIES, seed: int = 0, images: int = 10) -> ChunkScorer:
    inputs, targets = batch(images)
    return ChunkScorer(SPACE, 5, inputs.float().numpy(), targets.numpy(), proxies, init_seed=seed)


def scores(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns="seconds")


def test_a_row_per_arch() -> None:
    table = scorer()(ARCHS)
    assert list(table) == ["arch", *PROXIES, "seconds", "error"]
    assert list(table["arch"]) == ARCHS
    assert np.isfinite(table.loc[:2, list(PROXIES)]).all().all()
    assert (table["seconds"] > 0).all()
    assert table["error"][:3].isna().all()


def test_equal_seeds_give_equal_scores_wherever_they_are_computed() -> None:
    first = scorer()
    table = first(ARCHS)
    again = pickle.loads(pickle.dumps(first))
    pd.testing.assert_frame_equal(scores(again(ARCHS)), scores(table))
    parts = pd.concat([again(ARCHS[:1]), again(ARCHS[1:])], ignore_index=True)
    pd.testing.assert_frame_equal(scores(parts), scores(table), rtol=1e-6)
    assert not np.allclose(scorer(seed=1)(ARCHS)["naswot"][:3], table["naswot"][:3])


def test_a_score_that_is_undefined_is_named() -> None:
    row = scorer(("jacob_cov", "params"))(ARCHS).iloc[3]
    assert np.isnan(row["jacob_cov"])
    assert row["error"] == "jacob_cov is nan"


def test_a_proxy_that_raises_is_an_entry_and_no_loss() -> None:
    table = scorer(("naswot", "params"), images=1)(ARCHS[:1])
    assert table["error"][0] == "naswot: ValueError: naswot: needs a batch of at least 2 images, got 1."
    assert np.isnan(table["naswot"][0])
    assert table["params"][0] > 0


@pytest.mark.parametrize("archs", [[], ARCHS[:1]])
def test_short_chunks(archs: list[str]) -> None:
    assert len(scorer()(archs)) == len(archs)
