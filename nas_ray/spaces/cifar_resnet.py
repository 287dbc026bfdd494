"""The residual nets for CIFAR."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from nas_ray.spaces.stems import SMALL, STRIDED, make_stem

WIDTHS = (16, 32, 64)


class CifarResNet(nn.Module):
    """A residual net of `depth` = 6 n + 2 layers; `[B, 3, H, W] -> [B, num_classes]`.

    Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2, with the
    shortcuts of option A, which have no parameters, and the initialisation of their [13].
    Differs: above 64 pixels a strided stem comes first.

    Args:
        depth: 20, 56 or 110 in the paper.
        num_classes: outputs.
        small: whether images have at most 64 pixels.
    """

    def __init__(self, depth: int, num_classes: int, small: bool = True) -> None:
        super().__init__()
        blocks = (depth - 2) // 6
        self.stem = nn.Sequential(*make_stem(SMALL if small else STRIDED, WIDTHS[0]), nn.ReLU())
        before, body = WIDTHS[0], []
        for stage, width in enumerate(WIDTHS):
            for place in range(blocks):
                body.append(BasicBlock(before, width, 2 if stage and not place else 1))
                before = width
        self.body = nn.Sequential(*body)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, num_classes))
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Returns class scores."""
        logits: Tensor = self.head(self.body(self.stem(x)))
        return logits


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut; `[B, C_in, H, W] -> [B, C_out, H / stride, W / stride]`.

    A shortcut that changes the shape takes every second pixel and adds channels of zeros.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.relu2 = nn.ReLU()
        self.stride = stride
        self.added = channels_out - channels_in

    def forward(self, x: Tensor) -> Tensor:
        """Returns the block's output."""
        out = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        if self.added or self.stride > 1:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.added))
        activated: Tensor = self.relu2(out + x)
        return activated
