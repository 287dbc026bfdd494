"""EPE-NAS: how the input Jacobians correlate within each class."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from nas_ray.proxies.checks import checked
from nas_ray.proxies.gradients import input_jacobian
from nas_ray.proxies.jacob_cov import row_correlations
from nas_ray.proxies.layout import with_channels_last
from nas_ray.proxies.losses import check_labels
from nas_ray.proxies.needs import needs

MANY_CLASSES = 100
"""Above this number of classes, classes are compared with each other."""


@needs(numbers=True, labels=True)
@checked
@with_channels_last
def epe_nas(
    net: nn.Module, inputs: Tensor, targets: Tensor, *, k: float = 1e-5, all_classes: bool = True
) -> float:
    """Returns the sum over classes of `|s|`, `s = sum log(|correlations of class| + k)`; larger is better.

    The correlations `[n_c, n_c]` are those between the input Jacobians `d (sum of all outputs) / d inputs`
    of the n_c images of class c; a class with a single image adds `log(1 + k)`. With more than 100
    classes, by the number of outputs of the net, each s is divided by n_c and the score is the sum over
    all ordered pairs of classes of `|s(c) - s(d)|`, divided by the number of classes. Where an image has no
    gradient the score is NaN.

    Shapes: `inputs [B, 3, H, W]`, `targets [B]`.
    Needs: one batch of real images with images of every class (the paper uses 256), labels, one forward
    and one backward pass.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Lopes, Alirezazadeh and Alexandre, "EPE-NAS: Efficient Performance Estimation Without Training for
    Neural Architecture Search", ICANN 2021.
    Differs: the released code takes 10 classes for every dataset unless told otherwise, and passes over a
    class that is missing from the batch or whose correlations fail, which lowers the score by what that
    class would have added; here the former is the number of outputs and the latter an error or NaN.
    `all_classes=False` scores the classes that are there, as they do.

    Raises:
        ValueError: fewer than two images, labels that do not fit the net, a class without images, or no
            class with two of them.
    """
    if len(inputs) < 2:
        raise ValueError(f"epe_nas: needs a batch of at least 2 images, got {len(inputs)}.")
    jacobian, classes = input_jacobian(net, inputs)
    check_labels("epe_nas", classes, len(inputs), targets)
    jacobian, targets = jacobian.cpu(), targets.cpu()  # at once, and not class by class
    counts = torch.bincount(targets.long(), minlength=classes).numpy()
    if all_classes and not counts.all():
        missing = ", ".join(map(str, np.flatnonzero(counts == 0)[:5]))
        raise ValueError(
            f"epe_nas: needs images of each of the {classes} classes, but {np.sum(counts == 0)} have none "
            f"(such as {missing}); use a larger batch, or all_classes=False to score those that are there."
        )
    if counts.max() < 2:
        raise ValueError("epe_nas: needs at least two images of one class, but every image has its own.")
    present = np.flatnonzero(counts)
    correlations = [row_correlations(jacobian[targets == label]) for label in present.tolist()]
    logs = [np.log(np.abs(within) + k).sum() for within in correlations]
    if classes <= MANY_CLASSES:
        return float(np.abs(logs).sum())
    scores = np.array(logs) / counts[present]
    return float(np.abs(scores[:, None] - scores[None, :]).sum() / len(scores))
