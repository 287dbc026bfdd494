"""Texts of sentences, their one form, and what is none."""

from __future__ import annotations

import numpy as np
import pytest

from nas_ray.errors import UsageError
from nas_ray.spaces.grammar.named import NETS
from nas_ray.spaces.grammar.reading import chain_in, read
from nas_ray.spaces.grammar.shapes import IMAGE, Shape, after, steps_of
from nas_ray.spaces.grammar.space import Grammar
from nas_ray.spaces.grammar.summary import tree
from nas_ray.spaces.grammar.terms import Branch, Leaf, Routed, depth_of, normal, size_of, written

SPACE = Grammar()


def test_a_sentence_by_hand() -> None:
    chain = read("conv3:16/2-(id+dw5-bn)-tokens(attn:2)")
    assert chain == (
        Leaf("conv", 3, 16, 2),
        Branch("+", ((), (Leaf("dw", 5), Leaf("bn")))),
        Routed("tokens", (Leaf("attn", number=2),)),
    )
    assert (size_of(chain), depth_of(chain)) == (6, 1)
    assert after(chain) == Shape(16, 2)
    assert [str(step.term) for step in steps_of(chain)] == [
        *("conv3:16/2", "dw5", "bn", "(id+dw5-bn)", "attn:2"),
    ]
    assert steps_of(chain)[0].takes == IMAGE
    assert steps_of(chain)[-1].gives == Shape(16, 2, tokens=True)
    assert Shape(16, 4).side(9) == 3


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("conv3:8-relu-relu", "conv3:8-relu"),
        ("conv3:8-conv3:8-conv3:8", "[conv3:8]*3"),
        ("(dw3+id)", "(id+dw3)"),
        ("(dw5-bn+(dw3+id))", "(id+dw3+dw5-bn)"),
        ("((dw3&dw5)&id)", "(dw3&dw5&id)"),
        ("(dw5&dw3)", "(dw5&dw3)"),
        ("((dw3&dw5)+(dw3&dw7))", "((dw3&dw5)+(dw3&dw7))"),
        ("tokens(ln)-tokens(pos)", "tokens(ln-pos)"),
        ("tokens(relu)-tokens(relu)", "tokens(relu)"),
        ("tokens(map(dw3))", "dw3"),
        ("tokens(map(dw3)-pos-map(dw5))-bn", "dw3-tokens(pos)-dw5-bn"),
        ("tokens(pos-map(tokens(ln)-dw3-tokens(gelu))-pos)", "tokens(pos-ln-map(dw3)-gelu-pos)"),
        ("bn-relu-(id+dw3)-relu-(id+dw3)-relu", "bn-relu-[(id+dw3)-relu]*2"),
        ("tokens(pos-[ln-attn:1]*2-ln-attn:1)", "tokens(pos-[ln-attn:1]*3)"),
        ("[[bn-relu]*2-gelu]*2", "[[bn-relu]*2-gelu]*2"),
    ],
)
def test_equal_nets_have_one_text(text: str, form: str) -> None:
    assert written(chain_in(text)) == form
    assert chain_in(form) == chain_in(text) == normal(chain_in(text))
    if text != form:
        with pytest.raises(UsageError, match="is written in one form, ") as caught:
            read(text)
        assert form in str(caught.value)


@pytest.mark.parametrize(
    ("arch", "says"),
    [
        ("", "must have one of conv, dw, max, avg, patch, bn, lin,"),
        ("id", "must have a layer, or - and a layer at character 3, got the end"),
        ("conv3", "must have conv with one of 8, 16,"),
        ("conv4:8", "must have conv with one of 1, 3, 5, 7 right behind it at character 1, got 'conv4:8'"),
        ("conv3:9", "must have conv with one of 8, 16, 24,"),
        ("conv3:8/3", "must have a layer, or - and a layer at character 8, got '/3'"),
        ("bn/2", "must have bn without a stride at character 1"),
        ("bn3", "must have bn with no kernel"),
        ("relu:8", "must have relu with no number"),
        ("conv3:8-", "must have one of conv, dw,"),
        ("conv3:8-(dw3)", "must have + or & between branches at character 13, got ')'"),
        ("conv3:8-(dw3+dw5&id)", "must have a closing ) at character 17"),
        ("conv3:8-(dw3+dw5", "must have a closing ) at character 17, got the end"),
        ("conv3:8-(dw3+)", "must have one of conv, dw,"),
        ("conv3:8-tokens(id)", "must have a layer at character 16, got 'id)'"),
        ("conv3:8-[bn]", "must have ]* and how many times at character 12, got ']'"),
        ("conv3:8-[bn]*0", "must have ]* and how many times"),
        ("conv3:8-[[[bn]*99]*99]*99", "must have no more than 500 layers, branches and routings"),
        ("conv3:8-" + "(id+" * 20 + "bn" + ")" * 20, "at most 16 brackets in each other"),
        ("conv3:8-Bn", "got 'Bn'."),
        ("conv3:8 -bn", "got ' -bn'."),
        ("bn-" * 9_000 + "bn", "has at most 20,000 characters, got 27,002."),
        (
            "(id+conv3:8)",
            "Branches of grammar must end alike, but (id+conv3:8) has one that gives a map",
        ),
        ("(conv3:8+conv3:8/2)", "must end alike"),
        ("(conv3:8/2&conv3:8)", "must end alike"),
        ("(id+id+bn)", "A sum of grammar must have id once, got (id+id+bn)."),
        ("(" + "bn&" * 8 + "bn)", "Branches of grammar must be at most 8, got 9."),
        ("(bn+id+id)", "A sum of grammar must have id once, got (id+id+bn)."),
        ("((" + "bn&" * 4 + "bn)&" + "bn&" * 3 + "bn)", "Branches of grammar must be at most 8, got 9."),
        (
            "conv3:4096-conv3:4096-relu-relu",
            "151,105,536 weights, more than 30,000,000; give the space other",
        ),
        ("(conv3:32&conv3:8)", "channels together, but (conv3:32&conv3:8) has 40."),
        ("attn:1", "but attn:1 takes a map of 3 channels and stride 1 and works on tokens."),
        ("conv3:8-tokens(dw3)", "but dw3 takes tokens of 8 channels and stride 1 and works on maps."),
        ("conv3:8-tokens(tokens(pos))", "and would be routed to what it is."),
        ("conv3:8-map(bn)", "and would be routed to what it is."),
        ("conv3:8-tokens(attn:3)", "and needs heads that share the channels."),
        ("conv3:8-tokens(pos-map(dw3/2)-pos)", "and must keep the number of tokens."),
        ("[conv3:8/2]*7", "and would give a stride above 64."),
    ],
)
def test_what_is_no_sentence_is_refused_in_one(arch: str, says: str) -> None:
    assert arch not in SPACE
    with pytest.raises(UsageError) as caught:
        SPACE.build(arch, 10)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_what_is_no_text_is_none() -> None:
    assert 3 not in SPACE
    with pytest.raises(UsageError, match="An arch must be a string, got 3"):
        SPACE.build(3, 10)  # type: ignore[arg-type]


def test_damaged_texts_are_refused_or_other_archs() -> None:
    """A character more, less or changed: whatever comes of it, one sentence or a sentence of the grammar."""
    rng = np.random.default_rng(0)
    letters = "convdwmaxlintokensmap0123456789:/-+&()[]*"
    texts = [*NETS.values(), *(SPACE.sample(rng) for _ in range(20))]
    refused = 0
    for _ in range(600):
        text = texts[int(rng.integers(len(texts)))]
        at = int(rng.integers(len(text)))
        new = "".join(letters[place] for place in rng.integers(len(letters), size=int(rng.integers(2))))
        damaged = text[:at] + new + text[at + int(rng.integers(2)) :]
        said = ""
        try:
            assert written(read(damaged)) == damaged
            after(read(damaged))
        except UsageError as error:
            said = str(error)
        refused += bool(said)
        assert len(said.splitlines()) == bool(said)
    assert refused > 300


def test_samples_are_read_as_they_are_written() -> None:
    rng = np.random.default_rng(1)
    for _ in range(150):
        arch = SPACE.sample(rng)
        chain = read(arch)
        assert written(chain) == arch
        assert normal(chain) == chain


def test_labels_and_trees_are_for_people() -> None:
    arch = NETS["resnet-20"]
    assert SPACE.label(arch) == "resnet-20: 21 conv, 9 sums, 64 channels at stride 4"
    assert SPACE.label("conv3:8-(dw3&dw5)") == ("1 conv 2 dw, 1 concatenation, 16 channels at stride 1")
    assert tree("conv3:8-bn-[(id+tokens(ln-attn:1)-bn)-relu]*2-dw3").splitlines() == [
        "conv3:8 - bn",
        "2 times:",
        "    + id",
        "    + as tokens:",
        "          ln - attn:1",
        "      bn",
        "    relu",
        "dw3",
    ]
