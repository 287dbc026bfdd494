"""A searcher with a network inside: a small controller that learns by REINFORCE which decisions pay."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from nas_ray.rows import Row
from nas_ray.searchers import ArchSearcher, Fitness
from nas_ray.spaces import SearchSpace
from nas_ray.spaces.needs import decision_space


class Controller(ArchSearcher):
    """Draws every decision from a distribution that a net makes, and makes what was good more likely.

    Source: Zoph and Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017.
    Differs: decisions are independent of each other.
    """

    keep_every = 8

    def __init__(self, space: SearchSpace, *, fitness: Fitness, seed: int = 0) -> None:
        super().__init__(space, fitness=fitness, seed=seed)
        self.decisions = decision_space(space, "Controller")
        self.choices = self.decisions.choices()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            widths = sum(map(len, self.choices))
            self.net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, widths))
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=0.02)
        self.baseline: float | None = None
        self.steps_made = 0  # by this very object

    def distributions(self) -> tuple[Tensor, ...]:
        logits = self.net(torch.ones(4)).split([len(options) for options in self.choices])
        return tuple(one.log_softmax(dim=0) for one in logits)

    def ask(self) -> str:
        drawn = []
        for options, logs in zip(self.choices, self.distributions(), strict=True):
            weights = logs.detach().double().exp().numpy()
            drawn.append(options[int(self.rng.choice(len(options), p=weights / weights.sum()))])
        return self.decisions.assemble(drawn)

    def tell(self, arch: str, row: Row) -> None:
        reward = float(self.fitness_of([self.position(arch)])[0])
        if not math.isfinite(reward):
            return
        reward = math.tanh(reward / 500)
        self.baseline = reward if self.baseline is None else 0.9 * self.baseline + 0.1 * reward
        taken = zip(self.choices, self.decisions.decisions(arch), self.distributions(), strict=True)
        chosen = sum((logs[options.index(option)] for options, option, logs in taken), torch.zeros(()))
        self.optimizer.zero_grad()
        (-(reward - self.baseline) * chosen).backward()
        self.optimizer.step()
        self.steps_made += 1

    def state(self) -> dict[str, Any]:
        return {
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "baseline": self.baseline,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.baseline = state["baseline"]
