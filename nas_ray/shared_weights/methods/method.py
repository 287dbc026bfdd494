"""One-shot methods as data: the choice of each part and its numbers; a light module, for quick answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from nas_ray.errors import UsageError
from nas_ray.terminal.ranges import EPOCHS, SOME, Range, ranges_of

SHARE = Range(0.0, 1.0)
BELOW_ONE = Range(0.0, 1.0, below=True)
MANY = Range(0.0, 1e30)
ABOVE_ZERO = Range(0.0, 1e30, above=True)

BY_SPACE = -1.0
"""A number that the space decides, as its published code has it (`schedule.py`)."""
OR_BY_SPACE = Range(BY_SPACE, 1e30)

SINGLE_PATH = ("gumbel", "uniform", "policy")
"""Weights by which one operation of an edge is computed at a time."""

PARTS: dict[str, dict[str, str]] = {
    "weights": {
        "softmax": "softmax of the architecture parameters (DARTS)",
        "gumbel": "one operation by hard Gumbel-softmax, gradient of the soft weights (GDAS)",
        "dirichlet": "drawn from a Dirichlet distribution, pathwise gradient (DrNAS)",
        "sigmoid": "a sigmoid for each operation (FairDARTS)",
        "uniform": "one operation, each as likely (random search with weight sharing)",
        "policy": "one operation, drawn by a recurrent controller (ENAS)",
    },
    "gradient": {
        "first": "validation loss at the weights as they are",
        "second": "validation loss after a virtual step of the weights (DARTS)",
        "reward": "REINFORCE on the validation accuracy of sampled archs (ENAS)",
        "none": "architecture parameters stay as they were drawn",
    },
    "edges": {"none": "all edges count 1", "softmax": "softmax over the incoming edges of a node (PC-DARTS)"},
    "perturb": {
        "none": "weights are trained under the weights of operations as they are",
        "random": "under weights of operations with uniform noise (SDARTS-RS)",
        "adversarial": "under the worst weights of operations nearby (SDARTS-ADV)",
    },
    "skip": {"none": "nothing beside the edges", "decay": "a skip beside each edge that fades (DARTS-)"},
    "penalty": {
        "none": "no penalty",
        "beta": "logarithm of the sum of exponentials of the parameters of an edge (beta-DARTS)",
        "anchor": "squared parameters, which pulls Dirichlet concentrations to 1 (DrNAS)",
        "anchor-kl": "divergence of the Dirichlet distribution from the uniform one (DrNAS)",
        "zero-one": "weights pushed to 0 or 1 (FairDARTS)",
        "lambda": "cells agree on the gradients of the weights of operations (Lambda-DARTS)",
    },
    "freeze": {"none": "all weights train", "agreement": "operations that overfit stop training (OLES)"},
    "stages": {
        "none": "one stage with all operations",
        "p-darts": "three deeper and deeper stages with fewer operations",
        "drnas": "two wider and wider stages with fewer operations",
    },
    "stop": {
        "none": "all epochs",
        "skips": "when the first cell has two skip connections (DARTS+)",
        "eigenvalue": "when the curvature of the validation loss grows fast (R-DARTS)",
    },
    "derive": {
        "argmax": "the strongest operations and edges, as published for the space",
        "perturbation": "operations whose removal hurts most (DARTS-PT)",
        "sampled": "the best of sampled archs by validation accuracy",
    },
    "order": {
        "space": "as the published code of the space",
        "architecture": "the architecture step before that of the weights",
        "weights": "the step of the weights before that of the architecture",
    },
}
"""The parts that there are, by kind, each with what it does."""


@dataclass(frozen=True)
class Method:
    """A one-shot method: which parts, and their numbers.

    Raises:
        UsageError: an unknown part, a number out of range, or parts that make no sense together.
    """

    name: str
    source: str = ""
    weights: str = "softmax"
    gradient: str = "first"
    edges: str = "none"
    perturb: str = "none"
    skip: str = "none"
    penalty: str = "none"
    """One or several joined by `+`."""
    freeze: str = "none"
    stages: str = "none"
    stop: str = "none"
    derive: str = "argmax"
    order: str = "space"
    epochs: Annotated[int, EPOCHS] = 50
    """Published number of epochs; P-DARTS: those of all stages."""
    batch_size: Annotated[int, SOME] = 64
    lr: Annotated[float, ABOVE_ZERO] = 0.025
    """Of the weights; a cosine from here to `lr_min`."""
    lr_min: Annotated[float, MANY] = 0.001
    momentum: Annotated[float, BELOW_ONE] = 0.9
    nesterov: Annotated[float, Range(BY_SPACE, 1.0)] = BY_SPACE
    """1 for Nesterov's momentum, 0 for the plain one."""
    weight_decay: Annotated[float, OR_BY_SPACE] = BY_SPACE
    clip: Annotated[float, MANY] = 5.0
    """Largest norm of the gradient of the weights; 0 for no limit."""
    arch_lr: Annotated[float, MANY] = 3e-4
    arch_weight_decay: Annotated[float, MANY] = 1e-3
    arch_eps: Annotated[float, ABOVE_ZERO] = 1e-8
    """Of Adam, which trains architecture parameters."""
    arch_beta: Annotated[float, BELOW_ONE] = 0.5
    """First beta of this Adam; the second is 0.999."""
    init: Annotated[float, MANY] = 1e-3
    """Deviation of the initial architecture parameters."""
    warmup: Annotated[float, SHARE] = 0.0
    """Share of the epochs, or of those of a stage, in which weights alone are trained."""
    tau: Annotated[float, ABOVE_ZERO] = 10.0
    tau_min: Annotated[float, ABOVE_ZERO] = 0.1
    """Temperatures of Gumbel-softmax in the first and the last epoch."""
    radius: Annotated[float, ABOVE_ZERO] = 0.01
    """Norm of the step of weights by which the second-order term is measured."""
    partial: Annotated[int, Range(1, 64)] = 1
    """K, where one in K channels goes through the operations (PC-DARTS)."""
    noise: Annotated[float, SHARE] = 0.3
    """Largest perturbation, in the last epoch; 0.03 in the first."""
    attacks: Annotated[int, Range(1, 1000)] = 7
    """Steps of the adversarial perturbation."""
    beta: Annotated[float, MANY] = 50.0
    """Weight of the beta penalty; it grows from 0."""
    anchor: Annotated[float, MANY] = 1e-3
    zero_one: Annotated[float, MANY] = 10.0
    lambda_: Annotated[float, MANY] = 0.125
    """Weight of the agreement of cells in the last epoch; it grows from 0."""
    agreement: Annotated[float, Range(-1.0, 1.0)] = 0.4
    """Smallest mean cosine of training and validation gradients with which an operation goes on training."""
    patience: Annotated[int, Range(1, 1_000_000)] = 20
    """Steps over which that mean is taken."""
    drop_skip: Annotated[float, BELOW_ONE] = 0.0
    """First dropout rate behind skip connections; in the stages of P-DARTS that of the last one."""
    most_skips: Annotated[int, Range(0, 10_000)] = 10_000
    """Skip connections that the first cell may have at most."""
    samples: Annotated[int, Range(1, 1_000_000)] = 100
    """Archs that `derive=sampled` compares."""
    tune_epochs: Annotated[int, Range(0, 1_000)] = 5
    """Epochs of training between two decisions of `derive=perturbation`."""

    def __post_init__(self) -> None:
        for name, known in ranges_of(Method).items():
            known.check(f"The option {name} of a one-shot method", getattr(self, name))
        for kind, known_parts in PARTS.items():
            for part in self.penalties if kind == "penalty" else (getattr(self, kind),):
                if part not in known_parts and not (kind == "penalty" and not part):
                    listed = ", ".join(known_parts)
                    raise UsageError(
                        f"The part {kind} of a one-shot method must be one of {listed}; got {part!r}."
                    )
        for clash, why in _clashes(self):
            if clash:
                raise UsageError(f"The one-shot method {self.name} cannot be: {why}.")

    @property
    def penalties(self) -> tuple[str, ...]:
        """The penalties, none if there are none."""
        return tuple(part for part in self.penalty.split("+") if part != "none")

    @property
    def single_path(self) -> bool:
        """Whether one operation of an edge is computed at a time."""
        return self.weights in SINGLE_PATH

    @property
    def learns_by_gradient(self) -> bool:
        """Whether architecture parameters follow the gradient of the validation loss."""
        return self.gradient in ("first", "second")


def _clashes(method: Method) -> list[tuple[bool, str]]:
    """Returns what is there together and makes no sense, with the end of the sentence that says so."""
    uniform, policy = method.weights == "uniform", method.weights == "policy"
    loose = [part for part in method.penalties if part != "lambda"]
    blind = not method.learns_by_gradient
    return [
        (uniform and method.gradient != "none", "weights=uniform learns nothing, so it needs gradient=none"),
        (
            policy != (method.gradient == "reward"),
            "weights=policy and gradient=reward go with each other alone",
        ),
        (
            uniform and method.derive == "argmax",
            "weights=uniform has no strongest operation, so it needs derive=sampled or derive=perturbation",
        ),
        (
            uniform and (method.stages != "none" or method.stop != "none"),
            "weights=uniform has no strengths by which a stage or a stop could decide",
        ),
        (
            blind and method.edges != "none",
            f"edges={method.edges} is learned by gradient=first or gradient=second alone",
        ),
        (
            blind and bool(loose),
            f"penalty={'+'.join(loose)} acts on gradient=first and gradient=second alone",
        ),
        (
            blind and method.freeze != "none",
            f"freeze={method.freeze} compares gradients that gradient={method.gradient} does not take",
        ),
        (
            blind and method.stop == "eigenvalue",
            f"stop=eigenvalue looks at parameters that gradient={method.gradient} does not move",
        ),
        (
            method.single_path and method.perturb != "none",
            f"perturb={method.perturb} needs all operations, of which weights={method.weights} computes one",
        ),
        (
            (uniform or policy) and "lambda" in method.penalties,
            f"penalty=lambda needs weights with a gradient, and weights={method.weights} has none",
        ),
        (
            "anchor-kl" in method.penalties and method.weights != "dirichlet",
            "penalty=anchor-kl is a divergence of Dirichlet distributions, so it needs weights=dirichlet",
        ),
        (
            "zero-one" in method.penalties and method.weights != "sigmoid",
            "penalty=zero-one is for weights that do not compete, so it needs weights=sigmoid",
        ),
    ]
