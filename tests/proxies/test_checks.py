from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from nas_ray.proxies import OF_ONE_SPACE, PROXIES
from nas_ray.proxies.naswot import log_det
from tests.proxies.nets import batch, tss

WITHOUT_IMAGES = {"params", "num_conv", "l2_norm", *OF_ONE_SPACE}
SEEING = [name for name in PROXIES if name not in WITHOUT_IMAGES]
INPUTS, TARGETS = batch()


@pytest.mark.parametrize("name", SEEING)
def test_an_empty_batch_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: needs at least one image, got an empty batch.$"):
        PROXIES[name](tss(), INPUTS[:0], TARGETS[:0])


@pytest.mark.parametrize("name", SEEING)
@pytest.mark.parametrize("pixel", [float("nan"), float("inf")])
def test_a_pixel_that_is_not_finite_is_refused(name: str, pixel: float) -> None:
    images = INPUTS.clone()
    images[0, 0, 0, 0] = pixel
    with pytest.raises(ValueError, match=re.escape(f"{name}: needs finite images, got pixels that are NaN")):
        PROXIES[name](tss(), images, TARGETS)


@pytest.mark.parametrize("name", sorted(set(PROXIES) - {"log_width"}))
def test_inference_mode_changes_nothing(name: str) -> None:
    net = tss()
    expected = PROXIES[name](net, INPUTS, TARGETS)
    with torch.inference_mode():
        assert PROXIES[name](net, INPUTS.clone(), TARGETS.clone()) == expected


@pytest.mark.parametrize("name", ["snip", "fisher", "grasp", "gradsign", "zico", "epe_nas"])
@pytest.mark.parametrize("targets", [TARGETS[:, None], TARGETS.double(), None])
def test_labels_of_another_kind_are_refused(name: str, targets: object) -> None:
    with pytest.raises(ValueError, match=f"^{name}: needs (labels as a tensor of whole numbers|one label)"):
        PROXIES[name](tss(), INPUTS, targets)  # type: ignore[arg-type]


def test_a_kernel_of_too_few_units_is_singular() -> None:
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(8, 5))
    assert log_det((signs @ signs.T + 5) / 2, 5) == float("-inf")
