"""Tasks that are no images, with spaces of nets for them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nas_ray.training.recipes import Recipe
from nas_ray.training.task import Batch, Task

WORDS = (
    "the cat sat on a mat and the dog ran to the barn ",
    "def f(x): return [x for _ in range(3)]; ",
    "3.14, -2, 71; ",
)


class Parts(Task):
    """A task whose examples are two tensors."""

    inputs: Tensor
    targets: Tensor

    def minibatch(self) -> Batch:
        return self.inputs[:32].clone(), self.targets[:32].clone()

    def loaders(self, recipe: Recipe, seed: int, epoch: int) -> tuple[list[Batch], list[Batch]]:
        count = len(self.inputs)
        held_out = int(count * recipe.valid_fraction)
        order = np.random.default_rng((seed, epoch)).permutation(np.arange(held_out, count))
        return self._batches(order, recipe.batch_size), self._batches(np.arange(held_out), 100)

    def fingerprint(self, recipe: Recipe) -> str:
        return f"{type(self).__name__} of {len(self.inputs)}"

    def _batches(self, order: np.ndarray, size: int) -> list[Batch]:
        return [(self.inputs[part], self.targets[part]) for part in torch.from_numpy(order).split(size)]


class Bytes(Parts):
    """Of which kind a text is, by 16 bytes of it: `[B, 16]` int64 `-> [B, 3]`."""

    num_outputs = 3

    def __init__(self, count: int = 300) -> None:
        rng = np.random.default_rng(0)
        kinds = rng.integers(len(WORDS), size=count)
        texts = [(WORDS[kind] * 3).encode() for kind in kinds]
        cuts = [
            text[start : start + 16] for text, start in zip(texts, rng.integers(14, size=count), strict=True)
        ]
        noise = rng.random((count, 16)) < 0.5
        letters = np.where(noise, rng.integers(32, 127, (count, 16)), np.array([list(cut) for cut in cuts]))
        self.inputs, self.targets = torch.tensor(letters), torch.tensor(kinds)

    @staticmethod
    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(outputs, targets)

    @staticmethod
    def metric(outputs: Tensor, targets: Tensor) -> float:
        return 100 * float((outputs.argmax(1) == targets).double().mean())


class TextNets:
    """Archs such as `mean-8`: embeddings of 8 numbers per byte, averaged or (`flat`) side by side."""

    def sample(self, rng: np.random.Generator) -> str:
        return f"{('mean', 'flat')[rng.integers(2)]}-{rng.integers(1, 9)}"

    def neighbors(self, arch: str) -> list[str]:
        method, width = arch.split("-")
        near = [f"{method}-{other}" for other in (int(width) - 1, int(width) + 1) if 1 <= other <= 8]
        return [f"{'flat' if method == 'mean' else 'mean'}-{width}", *near]

    def build(self, arch: str, num_classes: int) -> nn.Module:
        method, width = arch.split("-")
        net = nn.Sequential(nn.Embedding(128, int(width)), nn.Flatten(), nn.Linear(16 * int(width), 24))
        if method == "mean":
            net[1], net[2] = Mean(), nn.Linear(int(width), 24)
        return nn.Sequential(net, nn.ReLU(), nn.Linear(24, num_classes))


class Mean(nn.Module):
    """The mean over the positions of `[B, positions, C]`."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.mean(1)


class Radius(Parts):
    """How far points lie from the middle: `[B, 2]` floats `-> [B, 1]`, by squared errors."""

    num_outputs = 1
    metric_name = "fit"

    def __init__(self) -> None:
        points = np.random.default_rng(0).uniform(-1, 1, (200, 2))
        self.inputs = torch.tensor(points, dtype=torch.float32)
        self.targets = self.inputs.norm(dim=1, keepdim=True)

    @staticmethod
    def loss(outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).square().mean()

    @staticmethod
    def metric(outputs: Tensor, targets: Tensor) -> Tensor:
        return -(outputs - targets).square().mean(1)


class Widths:
    """Archs are widths of two hidden layers on points."""

    def __init__(self, activation: type[nn.Module] = nn.ReLU) -> None:
        self.activation = activation

    def sample(self, rng: np.random.Generator) -> str:
        return str(rng.integers(1, 17))

    def neighbors(self, arch: str) -> list[str]:
        return [str(width) for width in (int(arch) - 1, int(arch) + 1) if 1 <= width <= 16]

    def build(self, arch: str, num_classes: int) -> nn.Module:
        width, act = int(arch), self.activation
        hidden = [nn.Linear(2, width), act(), nn.Linear(width, width), act()]
        return nn.Sequential(*hidden, nn.Linear(width, num_classes))
