"""The epochs of a one-shot search: train, judge, derive an arch, keep the trajectory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from nas_ray.rows import FOUND, TRAJECTORY
from nas_ray.shared_weights.methods.search import OneShotSearch
from nas_ray.shared_weights.one_shot.module import OneShotModule
from nas_ray.shared_weights.one_shot.trajectory import Array, Trajectory
from nas_ray.spaces.edges import EdgeSpace
from nas_ray.training.epoch_module import quiet_trainer
from nas_ray.training.search_set import SearchSet
from nas_ray.training.text_search_set import TextSearchSet

SKIP = "skip_connect"
SKIPS = (SKIP, "identity")
"""Operations that pass on what they read, in cells of images and in recurrent ones."""
FOUND_BEST = "found_best"
"""The arch of the epoch with the best `valid_acc`; `found` is that of the last epoch."""


class OneShotEpochs:
    """One search of one method and seed, epoch by epoch.

    Args:
        search: not yet begun.
        space: of what is found.
        images: of both kinds of weights, or a text.
        seed: of the order and the augmentation of the images.
        accelerator: Lightning's name of the device, `cpu` or `gpu`.
        curvature: whether the largest eigenvalue of the validation loss is measured (`lambda_max`).
    """

    def __init__(
        self,
        search: OneShotSearch,
        space: EdgeSpace,
        images: SearchSet | TextSearchSet,
        seed: int,
        *,
        accelerator: str = "cpu",
        curvature: bool = False,
    ) -> None:
        self.search, self.space, self.images = search, space, images
        self.seed, self.accelerator, self.curvature = seed, accelerator, curvature
        self.trajectory = Trajectory()

    @property
    def finished(self) -> bool:
        """Whether the method has stopped by itself."""
        return self.search.finished

    def train_epoch(self, epoch: int) -> Mapping[str, float | str]:
        """Trains an epoch and returns its columns, with the arch that its weights give as `found`."""
        search, images = self.search, self.images
        module = OneShotModule(search)
        search.begin_epoch(epoch)
        quiet_trainer(self.accelerator, images.recipe).fit(module, images.pairs(self.seed, epoch))
        if not math.isfinite(module.results.get("train_loss", 0.0)):
            return {**module.results, "valid_acc": math.nan}  # weights of no meaning give no arch
        search.end_epoch()
        weights = [array_of(of) for of in search.strengths()]
        found = self._derived(epoch)
        numbers = {
            **module.results,
            **search.judged(images.valid_batches()),
            "skips": float(sum(count_of(self.space, found, op) for op in SKIPS)),
            "entropy": entropy(weights),
        }
        if self.curvature:
            numbers["lambda_max"] = search.lambda_max(next(iter(images.valid_batches())))
        self.trajectory.add(found, weights, numbers)
        return {
            **numbers,
            FOUND: found,
            FOUND_BEST: self.trajectory.best(),
            TRAJECTORY: self.trajectory.to_text(),
        }

    def _derived(self, epoch: int) -> str:
        """Returns the arch that the weights give; what trains for it is done after the last epoch alone."""
        search, images = self.search, self.images
        last = epoch + 1 == search.epochs or search.finished
        if search.method.derive == "perturbation" and not last:
            return search.current_arch()
        valid = images.valid_batches(images.recipe.batch_size)
        return search.derive(valid, images.weights_batches(self.seed, epoch + 1))

    def state(self) -> dict[str, Any]:
        """Returns all that the next epoch needs."""
        return {"search": self.search.state(), "trajectory": self.trajectory.to_text()}

    def load_state(self, state: dict[str, Any]) -> None:
        """Takes what `state` returned in another process."""
        self.trajectory = Trajectory.from_text(state["trajectory"])
        self.search.load_state(state["search"])


def array_of(weights: Tensor) -> Array:
    """Returns weights as an array on the CPU."""
    return weights.detach().cpu().float().numpy()


def entropy(weights: Sequence[Array]) -> float:
    """Returns the mean entropy in nats of the weights of an edge, normalised to sum 1."""
    found = []
    for of in weights:
        total = of.sum(axis=1, keepdims=True)
        shares = np.divide(of, total, out=np.zeros_like(of), where=total > 0).astype(float)
        logs = np.log(np.where(shares > 0, shares, 1.0))
        found.append(-(shares * logs).sum(axis=1))
    return float(np.concatenate(found).mean()) if found else math.nan


def count_of(space: EdgeSpace, arch: str, op: str) -> int:
    """Returns how often `op` is chosen in the cells of `arch`."""
    return sum(chosen == op for cell in space.to_edges(arch) for chosen in cell.values())
