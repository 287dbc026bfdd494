"""The named one-shot methods, a line each, and the text that names one with changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from nas_ray.errors import UsageError, unknown_name
from nas_ray.errors.checks import TEXT
from nas_ray.shared_weights.methods.method import PARTS, Method
from nas_ray.terminal.ranges import EPOCHS, MOST_SEED, SOME, Range, ranges_of

OWN_CODE: dict[str, Any] = {"order": "architecture", "nesterov": 0.0, "weight_decay": 3e-4}
"""Of methods whose authors have published code for NATS-TSS of their own, made of that of DARTS."""

_TABLE = (
    Method("darts1", "Liu et al., ICLR 2019", gradient="first"),
    Method("darts2", "Liu et al., ICLR 2019", gradient="second"),
    Method("gdas", "Dong and Yang, CVPR 2019", weights="gumbel", order="weights", epochs=250),
    Method(
        "pc-darts",
        "Xu et al., ICLR 2020",
        partial=4,
        edges="softmax",
        lr=0.1,
        lr_min=0.0,
        arch_lr=6e-4,
        warmup=0.3,
        batch_size=256,
        **OWN_CODE,
    ),
    Method(
        "drnas",
        "Chen et al., ICLR 2021",
        weights="dirichlet",
        penalty="anchor",
        arch_weight_decay=0.0,
        epochs=100,
        **OWN_CODE,
    ),
    Method("darts-", "Chu et al., ICLR 2021", skip="decay", **OWN_CODE),
    Method("sdarts-rs", "Chen and Hsieh, ICML 2020", perturb="random", epochs=100, **OWN_CODE),
    Method("sdarts-adv", "Chen and Hsieh, ICML 2020", perturb="adversarial", epochs=100, **OWN_CODE),
    Method(
        "fair-darts", "Chu et al., ECCV 2020", weights="sigmoid", penalty="zero-one", init=0.0, **OWN_CODE
    ),
    Method("beta-darts", "Ye et al., CVPR 2022", penalty="beta", epochs=100, **OWN_CODE),
    Method("lambda-darts", "Movahedi et al., ICLR 2023", penalty="lambda", epochs=100),
    Method("oles", "Jiang et al., NeurIPS 2023", freeze="agreement", **OWN_CODE),
    Method(
        "p-darts",
        "Chen et al., ICCV 2019",
        stages="p-darts",
        epochs=75,
        batch_size=96,
        lr_min=0.0,
        arch_lr=6e-4,
        warmup=0.4,
        drop_skip=0.7,
        most_skips=2,
        **OWN_CODE,
    ),
    Method("darts-pt", "Wang et al., ICLR 2021", derive="perturbation", epochs=100, **OWN_CODE),
    Method(
        "rs-ws",
        "Li and Talwalkar, UAI 2019",
        weights="uniform",
        gradient="none",
        derive="sampled",
        epochs=100,
    ),
    Method(
        "enas",
        "Pham et al., ICML 2018",
        weights="policy",
        gradient="reward",
        derive="sampled",
        arch_lr=1e-3,
        arch_weight_decay=0.0,
        arch_eps=1e-3,
        epochs=100,
    ),
)

METHODS: Mapping[str, Method] = MappingProxyType({method.name: method for method in _TABLE})
"""The named methods.

Source: of each its own; numbers as published for NAS-Bench-201 where they are, else for the space of DARTS.
Differs: what a part does otherwise is said where it is written.
"""

SETTINGS: Mapping[str, Range] = MappingProxyType(
    {
        "epochs": EPOCHS,
        "batch_size": SOME,
        "seed": Range(0, MOST_SEED),
        "channels": Range(1, 4096),
        "cells": Range(1, 1000),
    }
)
"""What stands beside a method without changing what it is."""


def parse_method(text: str) -> tuple[Method, dict[str, int]]:
    """Returns the method that `text` names, and the settings that it gives.

    Args:
        text: a key of `METHODS`, and changes behind it, as in `gdas,epochs=20,seed=3` or
            `darts1,derive=perturbation`. Epochs and batch size are in the method as well.

    Raises:
        UsageError: an unknown method, part or option, or a value that does not fit.
    """
    TEXT.check("A one-shot method", text)
    name, *changes = (part.strip() for part in text.split(","))
    if name not in METHODS:
        raise UsageError(
            f"{unknown_name('one-shot method', name, list(METHODS))} Change parts as in "
            "darts1,derive=perturbation."
        )
    given: dict[str, Any] = {}
    for change in filter(None, changes):
        key, equals, value = (part.strip() for part in change.partition("="))
        if not equals:
            raise UsageError(f"A change of a one-shot method must be name=value, got {change!r} in {text!r}.")
        if key in given:
            raise UsageError(f"The one-shot method {text!r} must give {key} once.")
        given[key] = _value(key, value)
    settings = {key: value for key, value in given.items() if key in SETTINGS}
    own = {key: value for key, value in given.items() if hasattr(METHODS[name], key)}
    return dataclasses.replace(METHODS[name], **own), settings


def _value(key: str, text: str) -> Any:
    """Returns the value of an option that is given as `key=text`.

    Raises:
        UsageError: no option, or no value for it.
    """
    numbers = {**ranges_of(Method), **SETTINGS}
    if key in PARTS:
        return text
    if key not in numbers:
        raise UsageError(unknown_name("option of a one-shot method", key, [*PARTS, *numbers]))
    try:
        value: float = int(text) if numbers[key].whole else float(text)
    except ValueError:
        value = float("nan")  # in no range
    if value != value:
        raise UsageError(f"The option {key} of a one-shot method must be {numbers[key]}, got {text!r}.")
    numbers[key].check(f"The option {key} of a one-shot method", value)
    return value
