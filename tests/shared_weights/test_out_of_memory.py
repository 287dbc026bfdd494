from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from nas_ray.errors import is_out_of_memory
from nas_ray.shared_weights.out_of_memory import in_halves


def test_a_batch_is_halved_until_it_fits() -> None:
    sizes = []

    def lengths(archs: Sequence[str]) -> Tensor:
        sizes.append(len(archs))
        if len(archs) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return torch.tensor([len(arch) for arch in archs])

    assert torch.cat(in_halves(lengths, ["a", "bb", "ccc", "dddd", "eeeee"])).tolist() == [1, 2, 3, 4, 5]
    assert sizes == [5, 2, 3, 1, 2]


def test_a_single_arch_that_does_not_fit_is_an_error() -> None:
    def fail(archs: Sequence[str]) -> Tensor:
        raise MemoryError("too large")

    with pytest.raises(MemoryError):
        in_halves(fail, ["a", "b"])


def test_other_errors_are_not_hidden() -> None:
    calls = []

    def fail(archs: Sequence[str]) -> Tensor:
        calls.append(archs)
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        in_halves(fail, ["a", "b"])
    assert len(calls) == 1


def test_what_torch_says_when_memory_is_out() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60)
    assert is_out_of_memory(caught.value)
    assert not is_out_of_memory(RuntimeError("shapes differ"))
