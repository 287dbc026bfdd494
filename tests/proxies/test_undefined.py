"""What a minibatch leaves undefined for every net is told before any net is scored."""

from __future__ import annotations

import pytest
import torch

from nas_ray.errors import UsageError
from nas_ray.proxies import PROXIES
from nas_ray.proxies.undefined import check_defined, undefined_on

ALONE = {"epe_nas", "jacob_cov", "lcmnas", "linear_regions", "naswot", "ntk", "swap", "zico"}


def test_one_image_is_too_few_for_those_that_compare_images() -> None:
    assert set(undefined_on(PROXIES, torch.tensor([3]), 10)) == ALONE


def test_a_usual_batch_leaves_none_undefined() -> None:
    assert undefined_on(PROXIES, torch.arange(40) % 10, 10) == {}


@pytest.mark.parametrize("targets", [[2] * 8, [0, 1, 2, 0], [0, 1, 2, 3]])
def test_labels_without_each_class_twice_leave_epe_nas_undefined(targets: list[int]) -> None:
    assert set(undefined_on(PROXIES, torch.tensor(targets), 4)) == {"epe_nas"}


def test_a_plug_in_that_needs_more_images_is_found() -> None:
    def picky(net: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> float:
        if len(inputs) < 5:
            raise ZeroDivisionError("too few")
        return 1.0

    with pytest.raises(UsageError) as caught:
        check_defined({"picky": picky}, torch.arange(3), 3)
    assert str(caught.value) == (
        "Scores need a minibatch on which they are defined, but picky is not for any net: ZeroDivisionError: "
        "too few. Raise --batch-size (now 3), draw others with another seed, or leave picky out."
    )


def test_what_fails_on_the_tiny_net_anyway_is_not_the_images_fault() -> None:
    def deep(net: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor) -> float:
        raise ValueError("deep: needs a deeper net")

    assert undefined_on({"deep": deep}, torch.arange(3), 3) == {}


def test_what_a_plug_in_changes_here_is_put_back() -> None:
    def changes(net: object, inputs: torch.Tensor, targets: torch.Tensor) -> float:
        torch.set_default_dtype(torch.float64)
        raise KeyboardInterrupt

    found = undefined_on({"changes": changes}, torch.arange(10), 10)  # type: ignore[dict-item]
    assert found == {}  # it fails on any images
    assert torch.get_default_dtype() == torch.float32
