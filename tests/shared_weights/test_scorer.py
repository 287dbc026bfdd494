from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
import torch

from nas_ray.proxies import PROXIES as PLAIN
from nas_ray.shared_weights import supernet
from nas_ray.shared_weights.arch_view import ArchView
from nas_ray.shared_weights.mixture import mixture_of
from nas_ray.shared_weights.scorer import ChunkScorer
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
    assert list(table) == ["arch", *PROXIES, "seconds", "error", "error_kind"]
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


def test_bfloat16_is_for_those_whose_ranks_it_keeps() -> None:
    inputs, targets = batch(10)
    names = ("plain", "snip", "synflow", "jacob_cov")
    tables = [
        ChunkScorer(SPACE, 5, inputs.float().numpy(), targets.numpy(), names, precision=precision)(ARCHS[:3])
        for precision in ("float32", "bfloat16")
    ]
    for name in ("plain", "jacob_cov"):
        assert (tables[0][name] == tables[1][name]).all()
    for name in ("snip", "synflow"):
        assert (tables[0][name] != tables[1][name]).any()
        np.testing.assert_allclose(tables[0][name], tables[1][name], rtol=0.1)


def test_your_own_proxy_sees_the_plain_net_and_cannot_change_it() -> None:
    def spoil(net: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
        weights = sum(p.numel() for p in net.parameters())
        with torch.no_grad():
            inputs.zero_()
            for p in net.parameters():
                p.zero_()
        return {"weights": float(weights), "images": float(len(inputs))}

    proxies = {"mine": spoil, "params": PLAIN["params"], "naswot": PLAIN["naswot"], "zen": PLAIN["zen"]}
    inputs, targets = batch(10)
    table = ChunkScorer(SPACE, 5, inputs.float().numpy(), targets.numpy(), proxies)(ARCHS[:3])
    assert list(table) == [
        *("arch", "mine.weights", "mine.images", "params", "naswot", "zen", "seconds", "error", "error_kind")
    ]
    assert (table["mine.weights"] == table["params"]).all()
    plain = scorer(("naswot", "zen"))(ARCHS[:3])
    assert (table[["naswot", "zen"]] == plain[["naswot", "zen"]]).all().all()


def test_archs_that_are_the_same_to_a_proxy_are_scored_once(monkeypatch: pytest.MonkeyPatch) -> None:
    same = "|nor_conv_3x3~0|+|none~0|none~1|+|nor_conv_3x3~0|skip_connect~1|none~2|"
    dead = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_3x3~0|skip_connect~1|none~2|"
    made = []
    monkeypatch.setattr(supernet, "ArchView", lambda *parts: made.append(parts[-1]) or ArchView(*parts))
    table = scorer(("snip", "naswot", "params"))([same, dead, same])
    assert made == [mixture_of(same)] * 2  # once for snip, once for naswot: no ReLU sees the dead node
    assert (table["snip"] == table["snip"][0]).all()


def test_a_proxy_without_a_batched_form_sees_one_net_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[type] = []

    def newcomer(net: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> float:
        seen.append(type(net))
        return PLAIN["snip"](net, inputs, targets)

    monkeypatch.setitem(PLAIN, "newcomer", newcomer)
    table = scorer(("newcomer", "snip", "params"))(ARCHS)
    assert table["error"][:3].isna().all()
    np.testing.assert_allclose(table["newcomer"][:3], table["snip"][:3], rtol=1e-3)
    assert len(seen) == len(ARCHS)
    assert ArchView not in seen
