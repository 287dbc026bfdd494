from __future__ import annotations

import itertools

import pytest

from nas_ray.errors import UsageError
from nas_ray.shared_weights.methods import METHODS, PARTS, parse_method

NAMES = [
    "darts1",
    "darts2",
    "gdas",
    "pc-darts",
    "drnas",
    "darts-",
    "sdarts-rs",
    "sdarts-adv",
    "fair-darts",
    "beta-darts",
    "lambda-darts",
    "oles",
    "p-darts",
    "darts-pt",
    "rs-ws",
    "enas",
]


def test_the_named_methods_are_those_that_are_published() -> None:
    assert list(METHODS) == NAMES
    assert all(name == method.name and method.source for name, method in METHODS.items())


def test_every_part_is_in_some_method_or_a_change_away() -> None:
    used = {kind: {getattr(method, kind) for method in METHODS.values()} for kind in PARTS}
    assert {kind for kind, parts in PARTS.items() if len(used[kind] & set(parts)) > 1} == {*PARTS} - {"stop"}


def test_a_text_names_a_method_with_changes() -> None:
    method, settings = parse_method("gdas, epochs=20,seed=3,derive=perturbation,tau=5")
    assert (method.name, method.weights, method.derive, method.tau) == ("gdas", "gumbel", "perturbation", 5.0)
    assert (method.epochs, settings) == (20, {"epochs": 20, "seed": 3})
    assert parse_method("darts1") == (METHODS["darts1"], {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "dart1",
            "Unknown one-shot method 'dart1'. Did you mean 'darts1'? Known: beta-darts, darts-, darts-pt, "
            "darts1, darts2, drnas, enas, fair-darts, gdas, lambda-darts, oles, p-darts, pc-darts, rs-ws, "
            "sdarts-adv, sdarts-rs. Change parts as in darts1,derive=perturbation.",
        ),
        (
            "darts1,derive=argmin",
            "The part derive of a one-shot method must be one of argmax, perturbation, sampled; "
            "got 'argmin'.",
        ),
        (
            "darts1,penalty=beta+gamma",
            "The part penalty of a one-shot method must be one of none, beta, anchor, anchor-kl, zero-one, "
            "lambda; got 'gamma'.",
        ),
        (
            "darts1,derive",
            "A change of a one-shot method must be name=value, got 'derive' in 'darts1,derive'.",
        ),
        ("gdas,tau=1,tau=2", "The one-shot method 'gdas,tau=1,tau=2' must give tau once."),
        (
            "gdas,epochs=many",
            "The option epochs of a one-shot method must be from 1 to 100,000, got 'many'.",
        ),
        ("gdas,epochs=0", "The option epochs of a one-shot method must be from 1 to 100,000, got 0."),
        (
            "rs-ws,gradient=second",
            "The one-shot method rs-ws cannot be: weights=uniform learns nothing, so it needs gradient=none.",
        ),
        (
            "gdas,perturb=random",
            "The one-shot method gdas cannot be: perturb=random needs all operations, of which "
            "weights=gumbel computes one.",
        ),
        (
            "darts1,penalty=zero-one",
            "The one-shot method darts1 cannot be: penalty=zero-one is for weights that do not compete, so "
            "it needs weights=sigmoid.",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_method(text)
    assert str(caught.value) == message


def test_an_unknown_option_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="Unknown option of a one-shot method 'tua'. Did you mean 'tau'"):
        parse_method("gdas,tua=1")


def test_all_pairs_of_parts_are_a_method_or_refused_with_a_reason() -> None:
    pairs = [
        (f"{one}={a}", f"{other}={b}")
        for one, other in itertools.combinations(PARTS, 2)
        for a in PARTS[one]
        for b in PARTS[other]
    ]
    refused = 0
    for pair in pairs:
        said = ""
        try:
            parse_method(f"darts1,{','.join(pair)}")
        except UsageError as error:
            said = str(error)
        refused += bool(said)
        assert not said or said.startswith("The one-shot method darts1 cannot be: ")
        assert said.count(".") <= 1
    assert 0 < refused < len(pairs) / 3
