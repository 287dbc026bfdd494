"""lcmnas: the reciprocal of jacob_cov, a positive number that has a largest value."""

from __future__ import annotations

from torch import Tensor, nn

from nas_ray.proxies.checks import checked
from nas_ray.proxies.jacob_cov import spread_sum
from nas_ray.proxies.layout import with_channels_last
from nas_ray.proxies.needs import needs

SCALE = 1e4
"""What the sum divides, as released."""


@needs(numbers=True)
@checked
@with_channels_last
def lcmnas(net: nn.Module, inputs: Tensor, targets: Tensor, *, k: float = 1e-5) -> float:
    """Returns `10^4 / sum(log(v + k) + 1 / (v + k))` over the eigenvalues v of `jacob_cov`; larger is better.

    So it is `-10^4 / jacob_cov`, ranks nets as `jacob_cov` does, and is undefined where that is. It is above
    0 and at most 10^4 / B, which is 156.25 for 64 images, and 39.06 for the 256 of its authors. Nets that
    train well lie just below, so that in a sum with an accuracy in percent the accuracy ranks them.

    Shapes: `inputs [B, 3, H, W]`; `targets` is not used.
    Needs: one batch of real images (the authors' code takes 256), one forward and one backward pass, no
    labels; the passes are those of `jacob_cov` and `epe_nas`, which are done once for all.
    Initialisation: torch's default; BN in batch mode, dropout off.

    Source: Lopes and Alexandre, "Towards Less Constrained Macro-Neural Architecture Search", 2022, and its
        released code, where it is called the score of the mixed performance estimation.
    Differs: one batch, whose images are not augmented, where the released code takes augmented images in
        three batches, with dropout as in training; eigenvalues as in `jacob_cov`.

    Raises:
        ValueError: fewer than two images.
    """
    return SCALE / spread_sum(net, inputs, k=k, name="lcmnas")
