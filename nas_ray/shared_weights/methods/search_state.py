"""The whole state of a search, so that one that goes on gives the same numbers."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nas_ray.shared_weights.methods.search import OneShotSearch

PLAIN = (
    "stage",
    "epoch",
    "in_epoch",
    "finished",
    "slowness",
    "eigenvalues",
    "earlier",
    "last_valid",
)
"""Attributes that are a part of the state as they are."""


def state_of(search: OneShotSearch) -> dict[str, Any]:
    """Returns all that the next step needs, as copies."""
    mixes, learner, rewards = search.mixes, search.arch_step.optimizer, search.arch_step.rewards
    return copy.deepcopy(
        {
            **{name: getattr(search, name) for name in PLAIN},
            "net": search.net.state_dict(),
            "sgd": search.training.optimizer.state_dict(),
            "arch": mixes.arch.state_dict(),
            "edges": None if mixes.edges is None else mixes.edges.state_dict(),
            "adam": None if learner is None else learner.state_dict(),
            "rewards": None if rewards is None else rewards.state(),
            "agreement": None if search.agreement is None else search.agreement.state(),
            "chance": mixes.chance.state(),
            "keep": mixes.keep,
            "fading": (mixes.skip, mixes.drop),
        }
    )


def load_state(search: OneShotSearch, state: dict[str, Any]) -> None:
    """Makes `search` go on as after `state`, of a search with the same arguments."""
    state = copy.deepcopy(state)
    if state["stage"] != search.stage:
        search.enter(state["stage"])
    for name in PLAIN:
        setattr(search, name, state[name])
    mixes, learner, rewards = search.mixes, search.arch_step.optimizer, search.arch_step.rewards
    search.net.load_state_dict(state["net"])
    search.training.optimizer.load_state_dict(state["sgd"])
    mixes.arch.load_state_dict(state["arch"])
    if mixes.edges is not None:
        mixes.edges.load_state_dict(state["edges"])
    if learner is not None:
        learner.load_state_dict(state["adam"])
    if rewards is not None:
        rewards.load_state(state["rewards"])
    if search.agreement is not None:
        search.agreement.load_state(state["agreement"])
    mixes.chance.load_state(state["chance"])
    mixes.set_keep(state["keep"])
    mixes.skip, mixes.drop = state["fading"]
