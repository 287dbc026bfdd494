"""Sentences as sequences of words, and the archs near one."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.spaces import END, Grammar, sample_sequence
from nas_ray.spaces.grammar.named import NETS
from nas_ray.spaces.grammar.reading import read
from nas_ray.spaces.grammar.terms import depth_of, size_of
from nas_ray.spaces.grammar.words import text_of

SPACE = Grammar()
SMALL = Grammar(nodes=15, depth=2, params=200_000, values=500_000)


def test_words_by_hand() -> None:
    arch = "conv3:16/2-(id+[dw5]*2-max3-tokens(attn:2-map(bn)-ln))-relu"
    words = (
        *("conv3/2", "16", "(", "+", "dw5", "dw5", "max3", "tokens(", "attn", "2", "map(", "bn", ")", "ln"),
        *(")", ")", "relu"),
    )
    assert SPACE.decisions(arch) == words
    assert SPACE.assemble(words) == arch
    assert text_of(words) == arch.replace("[dw5]*2", "dw5-dw5")


def test_what_may_follow() -> None:
    """By what a branch still needs, and by the kind of map."""
    first = SPACE.options(())
    assert {"conv3", "conv3/2", "patch16", "lin", "bn", "(", "tokens("} <= set(first)
    assert not {END, ")", "+", "attn", "pos", "map("} & set(first)
    assert SPACE.options(("conv3",))[:3] == ("8", "16", "24")
    assert SPACE.options(("conv3", "16"))[0] == END
    inside = SPACE.options(("conv3", "16", "tokens("))
    assert {"attn", "mix", "pos", "map(", "lin", "("} <= set(inside)
    assert not {")", "conv3", "bn", END} & set(inside)
    assert SPACE.options(("patch4", "24", "tokens(", "attn")) == ("1", "2", "3", "4", "6", "8", "12")
    branch = ("conv3", "16", "(", "conv3/2", "32")
    assert SPACE.options(branch)[:2] == ("+", "&")
    assert ")" not in SPACE.options((*branch, "+"))
    assert "conv5/2" not in SPACE.options((*branch, "+", "dw3/2"))
    assert SPACE.options((*branch, "+", "dw3/2", "lin", "32"))[:2] == (")", "+")
    assert ")" not in SPACE.options((*branch, "+", "dw3/2", "lin", "16"))
    assert SPACE.options((*branch, "&", "conv1/2", "16"))[:2] == (")", "&")
    rigid = set(SPACE.options(("(", "bn", "+")))  # no layer gives the three channels of an image
    assert {")", "dw3", "bn", "relu"} <= rigid
    assert not {"conv3", "lin", "&"} & rigid


def test_what_was_no_option_is_refused() -> None:
    for words in (("x",), ("16",), (")",), ("conv3", "relu"), ("conv3", "16", "+")):
        with pytest.raises(UsageError, match="A word of a sentence of grammar must be an option"):
            SPACE.options(words)
    for words in ((), ("x",), ("conv3",), ("conv3", "16", "("), ("relu", ")"), ("attn", "1")):
        with pytest.raises(UsageError) as caught:
            SPACE.assemble(words)
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("space", [SPACE, SMALL], ids=["large", "small"])
def test_every_arch_is_a_sequence_of_options(space: Grammar) -> None:
    rng = np.random.default_rng(0)
    named = [arch for arch in NETS.values() if arch in space]
    for arch in (*named, *(space.sample(rng) for _ in range(40))):
        words = space.decisions(arch)
        assert space.assemble(words) == arch
        for place, word in enumerate((*words, END)):
            assert word in space.options(words[:place])


def test_sequences_end_within_limits() -> None:
    rng = np.random.default_rng(0)
    archs = {sample_sequence(SMALL, rng) for _ in range(60)}
    assert len(archs) > 40
    for arch in archs:
        assert arch in SMALL
        assert size_of(read(arch)) <= 15
        assert depth_of(read(arch)) <= 2


@pytest.mark.parametrize(
    ("begun", "needed"),
    [
        ("( conv3/2 16 + dw3", "conv1/2 16 )"),  # to halve the map and change its channels
        ("conv3 16 ( conv1 24 &", "conv1 8 )"),  # to have channels that there are
        ("conv3 16 bn ( +", "relu )"),  # to do something in one branch
        ("conv3 16 tokens( pos", ")"),
        ("( bn dw3/2 +", "max3/2 )"),  # no layer gives the three channels of an image
    ],
)
def test_where_limits_are_reached_words_lead_to_the_end(begun: str, needed: str) -> None:
    space, words, seen = Grammar(nodes=3), tuple(begun.split()), list[str]()
    while END not in (options := space.options(words)):
        seen.append(")" if ")" in options else next(word for word in options if word not in ("+", "&")))
        words = (*words, seen[-1])
    assert " ".join(seen) == needed


def test_what_ends_above_a_limit_is_refused() -> None:
    with pytest.raises(UsageError, match="has 4 layers, branches and routings, more than 3"):
        Grammar(nodes=3).assemble(("(", "conv3/2", "16", "+", "dw3", "conv1/2", "16", ")"))


def test_what_is_remembered_does_not_travel() -> None:
    SPACE.options(("conv3", "16"))
    again = pickle.loads(pickle.dumps(SPACE))
    assert not again._walk._states
    assert again.options(("conv3", "16")) == SPACE.options(("conv3", "16"))


def test_neighbours_change_one_part() -> None:
    near = [arch.replace("patch4", "conv3") for arch in SPACE.neighbors("patch4:16-(id+bn)-tokens(ln)")]
    assert len(near) == len(set(near))
    assert {
        "conv3:16-(id+dw3)-tokens(ln)",  # another layer
        "conv3:16-(id+bn)-tokens(attn:2)",
        "conv3:16-(id+bn)",  # one removed
        "conv3:16-bn-tokens(ln)",  # one branch remains
        "conv3:16-tokens(ln)",
        "conv3:16-[(id+bn)]*2-tokens(ln)",  # one doubled
        "conv3:16-(id+bn)-(id+tokens(ln))",  # one beside a shortcut
    } <= set(near)
    assert "tokens(ln)" not in near  # nothing of another type
    assert "conv3:16-(id+id+bn)-tokens(ln)" not in near
    assert SPACE.neighbors("bn")


def test_of_many_neighbours_there_are_some() -> None:
    arch = NETS["vit-small-4"]
    near = SPACE.neighbors(arch)
    assert 100 < len(near) <= 200
    assert near == SPACE.neighbors(arch)
    assert arch not in near
