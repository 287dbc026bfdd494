"""What a trained net of a text is asked: continuations, perplexities and unknown words."""

from __future__ import annotations

import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.training.trained_text import TextFacts, TrainedText
from tests.training.small_lstm import SmallLstm

SPACE = "tests.training.small_lstm:SmallLstms"


def net_of_words() -> TrainedText:
    torch.manual_seed(0)
    return TrainedText(SmallLstm(3, 8), TextFacts("8", SPACE, "words", ("<unk>", "<eos>", "cat")))


def net_of_bytes() -> TrainedText:
    torch.manual_seed(0)
    return TrainedText(SmallLstm(256, 8), TextFacts("8", SPACE, "bytes", tuple(map(chr, range(256)))))


def test_unknown_words_are_counted() -> None:
    net = net_of_words()
    assert (net.unknown("zzzz cat yyyy\n"), net.unknown("cat")) == (2, 0)
    assert net_of_bytes().unknown("\0cat") == 0


def test_bytes_are_continued_as_text() -> None:
    net = net_of_bytes()
    assert net.tokens("aé").tolist() == [97, 195, 169]
    assert len(net.continued("", length=20).encode()) >= 20
    assert net.said([97, 195, 169, 255]) == "aé\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": None}, "seed must be a whole number from 0 to 18,446,744,073,709,551,615, got None."),
        ({"seed": 1.5}, "seed must be a whole number from 0 to 18,446,744,073,709,551,615, got 1.5."),
        ({"seed": "a"}, "seed must be a whole number from 0 to 18,446,744,073,709,551,615, got 'a'."),
        (
            {"seed": 2**64},
            "seed must be a whole number from 0 to 18,446,744,073,709,551,615, got 18446744073709551616.",
        ),
        ({"temperature": 0}, "temperature must be a number larger than 0, got 0."),
        ({"length": 0}, "length must be a whole number of at least 1, got 0."),
    ],
)
def test_what_a_draw_cannot_be_told_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        net_of_words().continued("cat", **options)  # type: ignore[arg-type]
    assert str(raised.value) == message


def test_half_of_a_character_has_no_bytes() -> None:
    message = "text must be a string of whole characters, which have bytes in UTF-8, got '\\ud800'."
    for asked in (net_of_bytes().continued, net_of_bytes().perplexity, net_of_bytes().unknown):
        with pytest.raises(UsageError) as raised:
            asked("\ud800")
        assert str(raised.value) == message
    assert net_of_words().unknown("\ud800") == 1


def test_the_likeliest_token_alone_is_drawn_near_a_temperature_of_0() -> None:
    net = net_of_words().eval()
    tokens = torch.tensor([[2]])
    for _ in range(6):
        with torch.no_grad():
            now = net(tokens)[:, -1, 1:].argmax(-1, keepdim=True) + 1  # never <unk>
        tokens = torch.cat([tokens, now], 1)
    for temperature in (1e-9, 5e-324):
        drawn = net.continued("cat", length=6, temperature=temperature, seed=2**64 - 1)
        assert drawn == net.said(tokens[0, 1:].tolist())
