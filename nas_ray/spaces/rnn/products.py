"""Matrix products of recurrent steps, by the fastest kernel that torch has for them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_PRODUCT = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
_REORDER = getattr(torch.ops.mkldnn, "_reorder_linear_weight", None)
"""Operations of oneDNN, which torch has and does not promise; without them MKL does all."""

OFTEN, LARGE = 8, 1 << 16
"""Uses and numbers of a matrix from which on it is worth to bring it into the order of oneDNN."""


def product(x: Tensor, weight: Tensor) -> Tensor:
    """Returns `x [M, K]` times the transposed `weight [N, K]`, without gradients.

    Numbers of 32 bits on a CPU go to oneDNN, as in torch's own LSTM, and not to MKL, which has slow kernels
    for the processors of some vendors. It depends on no measurement, so equal runs give equal numbers.
    """
    if _PRODUCT is not None and _onednn(x):
        made: Tensor = _PRODUCT(x, weight, None, "none", [], "")
        return made
    return F.linear(x, weight)


def transposed_product(x: Tensor, y: Tensor) -> Tensor:
    """Returns the transposed `x [M, K]` times `y [M, N]`, `[K, N]`; the narrower one best comes first."""
    return product(x.t().contiguous(), y.t())


def ordered(weight: Tensor, rows: int, uses: int) -> Tensor:
    """Returns `weight [N, K]` in the order in which `uses` products with `[rows, K]` are fastest."""
    if not _onednn(weight) or uses < OFTEN:
        return weight
    if _REORDER is None or weight.numel() < LARGE:
        return weight.t().contiguous().t()
    made: Tensor = _REORDER(weight, rows)
    return made


def _onednn(x: Tensor) -> bool:
    """Returns whether oneDNN computes with `x`: torch has it, and is not told to leave it alone."""
    of_its_kind = x.dtype == torch.float32 and x.device.type == "cpu"
    return of_its_kind and torch._C._has_mkldnn and torch._C._get_mkldnn_enabled()
