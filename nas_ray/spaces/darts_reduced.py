"""S1 to S4: small parts of the space of DARTS, in which a search by gradients fails.

Source: Zela et al., "Understanding and Robustifying Differentiable Architecture Search", ICLR 2020, section
3, and the released lists.
Differs: none known.
"""

from nas_ray.spaces.darts import Darts


class DartsS1(Darts):
    """S1 of Zela et al.: on each edge two operations, those that a search had preferred there."""

    name = "darts-s1"
    OPS = "s1"


class DartsS2(Darts):
    """S2 of Zela et al.: skip connections and separable convolutions alone."""

    name = "darts-s2"
    OPS = "s2"


class DartsS3(Darts):
    """S3 of Zela et al.: the archs of S2, with `none` mixed in a search."""

    name = "darts-s3"
    OPS = "s3"


class DartsS4(Darts):
    """S4 of Zela et al.: separable convolutions and noise, which is never right."""

    name = "darts-s4"
    OPS = "s4"
