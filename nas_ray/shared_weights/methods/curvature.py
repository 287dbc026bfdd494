"""The largest eigenvalue of the Hessian of the validation loss by architecture parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from nas_ray.shared_weights.methods.arch_weights import Parameters
from nas_ray.shared_weights.methods.batches import Batch
from nas_ray.shared_weights.methods.mixes import Mixes
from nas_ray.shared_weights.methods.supernet_training import SupernetTraining

ENOUGH = 64
"""Parameters up to which the Hessian is computed row by row."""


def curvature(training: SupernetTraining, mixes: Mixes, valid: Batch) -> float:
    """Returns the largest eigenvalue for the parameters of operations; NaN for methods without.

    The net is as in training, and its running statistics stay as they were.
    """
    parameters = [*mixes.arch.logits] if isinstance(mixes.arch, Parameters) else []
    learned = [one for one in parameters if one.requires_grad]
    if not learned:
        return float("nan")
    buffers = [(own, own.clone()) for own in training.net.buffers()]

    def loss() -> Tensor:
        drawn = mixes.mean()
        return training.loss(valid, drawn.mix(drawn.made))

    try:
        return largest_eigenvalue(loss, learned)
    finally:
        for own, before in buffers:
            own.copy_(before)


def largest_eigenvalue(loss: Callable[[], Tensor], parameters: Sequence[Tensor]) -> float:
    """Returns the largest eigenvalue of the Hessian of `loss()`; NaN where it is not finite.

    Source: Zela et al., "Understanding and Robustifying Differentiable Architecture Search", ICLR 2020,
    section 4.
    Differs: the exact Hessian, or its products with vectors in a Lanczos iteration; of methods that draw
    weights it is that at their mean.
    """
    value = loss()
    gradients = torch.autograd.grad(value, parameters, create_graph=True, allow_unused=True)
    flat = torch.cat(
        [
            (torch.zeros_like(one) if own is None else own).flatten()
            for own, one in zip(gradients, parameters, strict=True)
        ]
    )

    def times(vector: np.ndarray) -> np.ndarray:
        other = torch.as_tensor(vector.ravel(), dtype=flat.dtype, device=flat.device)
        found = torch.autograd.grad(flat, parameters, other, retain_graph=True, allow_unused=True)
        parts = zip(found, parameters, strict=True)
        rows = [(torch.zeros_like(one) if own is None else own).flatten() for own, one in parts]
        return torch.cat(rows).detach().cpu().double().numpy()

    if not flat.requires_grad or not bool(torch.isfinite(flat).all()):
        return 0.0 if bool(torch.isfinite(flat).all()) else float("nan")
    return _largest(times, len(flat))


def _largest(times: Callable[[np.ndarray], np.ndarray], size: int) -> float:
    if size <= ENOUGH:
        dense = np.stack([times(row) for row in np.eye(size)])
        if not np.isfinite(dense).all():
            return float("nan")
        return float(np.linalg.eigvalsh((dense + dense.T) / 2)[-1])
    from scipy.sparse.linalg import LinearOperator, eigsh

    operator = LinearOperator((size, size), matvec=times, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(size)
    if not np.isfinite(times(start)).all():
        return float("nan")
    return float(eigsh(operator, k=1, which="LA", v0=start, tol=1e-6, return_eigenvectors=False)[0])
