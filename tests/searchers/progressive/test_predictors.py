"""The predictors against plain computations, arch by arch, and what they learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from nas_ray.process.global_state import KeptState
from nas_ray.searchers.progressive.code import Code
from nas_ray.searchers.progressive.predictors import PREDICTORS, UNITS, Lstm, Mlp, Predictor
from tests.searchers.toy import Cells

CELLS = [tuple(text) for text in ("0a1b", "1b1b", "0a0a2b2b", "0a1b0b1a", "0a0a0a1b2a3b")]
TEXTS = "<>0123ab"
"""The numbers 2 to 7 are those of the decisions in `CELLS`; the first two stand for start and end."""


def made(kind: str, members: int = 3, slots: int = 4, seed: int = 1) -> Predictor:
    return PREDICTORS[kind](Code(CELLS, slots), members=members, bias=1.8, seed=seed)


def test_decisions_are_numbered_by_their_texts() -> None:
    code = Code(CELLS, 4)
    assert code.size == len(TEXTS)
    assert code.numbers([tuple("ab"), tuple("0123"), ()]).tolist() == [[6, 7, -1, -1], [2, 3, 4, 5], [-1] * 4]
    shares = code.shares(code.numbers([tuple("0a1b0b1a")])).reshape(4, 8)
    wanted = np.zeros((4, 8))
    wanted[0, 2] = wanted[2, 3] = 1  # in both blocks
    wanted[1, [6, 7]] = wanted[3, [6, 7]] = 0.5
    np.testing.assert_array_equal(shares, wanted)


def test_a_decision_may_be_another_one_in_each_place() -> None:
    code = Code([tuple("ab"), tuple("aa")], 1, by_place=True)
    assert code.size == 2 * 4
    assert code.numbers([tuple("ab"), tuple("ba")]).tolist() == [[2, 7], [3, 6]]
    assert code.shares(code.numbers([tuple("ab")])).tolist() == [[0, 0, 0.5, 0, 0, 0, 0, 0.5]]


def plain_mlp(parameters: dict[str, np.ndarray], arch: tuple[str, ...]) -> float:
    """One member on one arch: embeddings side by side, the mean over blocks, two layers, a sigmoid."""
    blocks = [arch[start : start + 4] for start in range(0, len(arch), 4)]
    embedded = [
        np.concatenate([parameters["embedding"][TEXTS.index(text)] for text in one]) for one in blocks
    ]
    hidden = np.mean(embedded, axis=0)
    for layer in ("first", "second"):
        hidden = np.maximum(hidden @ parameters[layer] + parameters[f"{layer}_bias"][0], 0)
    return float(1 / (1 + np.exp(-(hidden @ parameters["output"][:, 0] + parameters["output_bias"][0, 0]))))


def plain_lstm(parameters: dict[str, np.ndarray], arch: tuple[str, ...]) -> float:
    """The same with the LSTM of torch, whose gates are in another order: add, keep, new, show."""
    net = nn.LSTM(UNITS, UNITS)
    keep, add, show, new = (slice(part * UNITS, (part + 1) * UNITS) for part in range(4))

    def gates(weights: np.ndarray) -> torch.Tensor:
        return torch.tensor(
            np.concatenate([weights[..., part] for part in (add, keep, new, show)], axis=-1).T
        )

    with torch.no_grad():
        net.weight_ih_l0.copy_(gates(parameters["input"]))
        net.weight_hh_l0.copy_(gates(parameters["state"]))
        net.bias_ih_l0.copy_(gates(parameters["bias"][0]))
        net.bias_hh_l0.zero_()
        embedded = torch.tensor(parameters["embedding"][[TEXTS.index(text) for text in arch]])
        hidden = net(embedded)[0][-1].numpy()
    return float(1 / (1 + np.exp(-(hidden @ parameters["output"][:, 0] + parameters["output_bias"][0, 0]))))


@pytest.mark.parametrize(("kind", "plain"), [("mlp", plain_mlp), ("lstm", plain_lstm)])
def test_predictions_are_the_mean_of_members_that_are_computed_one_by_one(kind: str, plain: object) -> None:
    predictor = made(kind)
    predictor.fit(CELLS, np.linspace(0.1, 0.9, len(CELLS)), rate=0.02, epochs=5)
    members = [
        {name: value.detach().numpy()[member] for name, value in predictor.parameters.items()}
        for member in range(3)
    ]
    each = [[plain(parameters, arch) for parameters in members] for arch in CELLS]  # type: ignore[operator]
    np.testing.assert_allclose(predictor.predict(CELLS), np.mean(each, axis=1), atol=1e-6)
    assert np.ptp(each, axis=1).min() > 1e-4  # members differ
    assert predictor.predict([]).shape == (0,)


@pytest.mark.parametrize("kind", PREDICTORS)
def test_what_is_computed_once_for_many_archs_is_what_is_learned_with(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = made(kind)
    archs = [CELLS[number] for number in np.random.default_rng(0).integers(len(CELLS), size=40)]
    encoded = predictor._encoded(archs)
    with torch.no_grad():
        wanted = predictor._worth(predictor.hidden(encoded.expand(3, *encoded.shape))).mean(dim=0)
    np.testing.assert_allclose(predictor.predict(archs), wanted, atol=1e-6)
    monkeypatch.setattr("nas_ray.searchers.progressive.predictors.CHUNK", 7)
    np.testing.assert_allclose(predictor.predict(archs), wanted, atol=1e-6)


@pytest.mark.parametrize("kind", PREDICTORS)
def test_the_published_numbers_are_there_at_first(kind: str) -> None:
    predictor = made(kind, members=5)
    assert predictor.parameters["embedding"].shape == (5, 8, 100)
    assert predictor.parameters["embedding"].abs().max() <= 0.1
    assert predictor.parameters["output_bias"].unique().tolist() == [pytest.approx(1.8)]
    assert predictor.predict(CELLS) == pytest.approx(0.858, abs=0.05)
    predictor._divide(10)
    parts = predictor._parts
    assert parts.shape == (5, 8)  # 4/5 for each
    assert all(len(set(part)) == 8 for part in parts.tolist())
    assert len({tuple(sorted(part)) for part in parts.tolist()}) > 1
    predictor._divide(15)
    assert predictor._parts[:, :8].tolist() == parts.tolist()
    assert all(len(set(part)) == 4 and min(part) >= 10 for part in predictor._parts[:, 8:].tolist())
    alone = made(kind, members=1)
    alone._divide(10)
    assert sorted(alone._parts[0]) == list(range(10))


def test_a_member_learns_from_its_part_alone() -> None:
    """An embedding moves in a member exactly if a decision in its part has it."""
    archs = [(letter,) for letter in "abcdefghij"]
    predictor = Mlp(Code(archs, 1), members=5, bias=0.0, seed=0)
    before = predictor.parameters["embedding"].clone()
    predictor.fit(archs, np.linspace(0, 1, 10), rate=0.01, epochs=3)
    moved = (predictor.parameters["embedding"] != before).any(dim=2)
    assert moved.sum(dim=1).tolist() == [8] * 5
    assert not moved.all(dim=0).all()


def additive_cells() -> tuple[list[tuple[str, ...]], np.ndarray]:
    """Cells of two blocks, and a score that adds what their operations and inputs are worth."""
    space, rng = Cells(), np.random.default_rng(3)
    archs = [arch for one in space.one_block() for arch in space.grown(one)]
    worth = dict(zip("012ab", rng.normal(size=5), strict=True))
    total = np.array([sum(worth[text] for text in space.decisions(arch)) for arch in archs])
    order = rng.permutation(len(archs))
    scale = (total - total.min()) / np.ptp(total)
    return [space.decisions(archs[place]) for place in order], scale[order]


@pytest.mark.parametrize("kind", PREDICTORS)
def test_an_additive_score_is_learned_and_a_shuffled_one_is_not(kind: str) -> None:
    archs, scores = additive_cells()
    known, held_out = slice(0, 100), slice(100, None)
    found = {}
    for name, targets in (
        ("true", scores[known]),
        ("shuffled", np.random.default_rng(5).permutation(scores[known])),
    ):
        predictor = PREDICTORS[kind](Code(archs, 4), members=1, bias=0.0, seed=0)
        predictor.fit(archs[known], targets, rate=0.01, epochs=20)
        found[name] = spearmanr(predictor.predict(archs[held_out]), scores[held_out]).statistic
    assert found["true"] > 0.9
    assert abs(found["shuffled"]) < 0.5


@pytest.mark.parametrize("kind", PREDICTORS)
def test_equal_seeds_predict_the_same_and_leave_torch_as_it_was(kind: str) -> None:
    def predicted(seed: int) -> np.ndarray:
        predictor = made(kind, seed=seed)
        predictor.fit(CELLS, np.linspace(0, 1, len(CELLS)), rate=0.01, epochs=3)
        return predictor.predict(CELLS)

    with KeptState() as kept, torch.no_grad():
        first = predicted(1)
    assert not kept.changed
    with torch.inference_mode():
        np.testing.assert_array_equal(predicted(1), first)
    assert (predicted(2) != first).all()


def test_an_lstm_reads_the_order_and_an_mlp_the_slots() -> None:
    turned = [tuple("0a1b"), tuple("1b0a")]
    lstm, mlp, mean = made("lstm"), made("mlp"), made("mlp", slots=1)
    assert np.ptp(lstm.predict(turned)) > 1e-5
    assert np.ptp(mlp.predict(turned)) > 1e-5
    assert np.ptp(mean.predict(turned)) < 1e-6  # the mean of all embeddings
    assert isinstance(lstm, Lstm)
