"""Matrix products of recurrent steps, by the fastest kernel that torch has for them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_OPERATION = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
"""The product of oneDNN, which torch has and does not promise; without it MKL does all."""


def product(x: Tensor, weight: Tensor) -> Tensor:
    """Returns `x [M, K]` times the transposed `weight [N, K]`, without gradients.

    Numbers of 32 bits on a CPU go to oneDNN, as in torch's own LSTM, and not to MKL, which has slow kernels
    for the processors of some vendors. It depends on no measurement, so equal runs give equal numbers.
    """
    if x.dtype == torch.float32 and x.device.type == "cpu" and _OPERATION is not None and _onednn():
        made: Tensor = _OPERATION(x, weight, None, "none", [], "")
        return made
    return F.linear(x, weight)


def transposed_product(x: Tensor, y: Tensor) -> Tensor:
    """Returns the transposed `x [M, K]` times `y [M, N]`, `[K, N]`; the narrower one best comes first."""
    return product(x.t().contiguous(), y.t())


def by_rows(weight: Tensor) -> Tensor:
    """Returns `weight [N, K]` in the order in which products with it are fastest."""
    return weight.t().contiguous().t()


def _onednn() -> bool:
    """Returns whether torch has oneDNN and is not told to leave it alone."""
    return torch._C._has_mkldnn and bool(torch.backends.mkldnn.enabled)
