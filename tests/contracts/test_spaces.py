"""What every search space must do, run over the whole dict, with and without settings beside the archs."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from nas_ray.spaces import SPACES, SearchSpace
from nas_ray.spaces.named import open_space
from nas_ray.spaces.options import OPTIONS
from nas_ray.testing import SpaceContract
from nas_ray.testing.space_nets import IMAGES, Learned
from nas_ray.training.text_task import TextTask

SETTINGS = {"": "", "range": "@lr=log:0.01..1,epochs=1..4,batch_size=32/64", "choices": "@lr=0.1/0.01"}
SMALL = {
    **dict.fromkeys(OPTIONS, ":channels=4,cells=3"),
    "grammar": ":nodes=8,params=200000,values=300000",
    "layerwise": ":preset=strides,least=2,most=3,heights=1+3,widths=3,filters=4+6",
    "nasnet": ":channels=2,cells=1,blocks=1",
    "pnas": ":channels=2,cells=1,blocks=2",
    "nasnet-cells": ":channels=2,cells=1",
    "macro": ":as=described,params=500000,memory=4",
    "darts-rnn": ":width=6",
    "rnn-nets": ":width=6,embedding=4",
    "rnn-tree": ":width=6,base=2",
}
"""Options of spaces whose nets would take long."""
ARCHS_ALONE = {
    *("grammar", "grammar-nets", "layerwise", "layerwise-nets", "macro", "nasnet", "pnas", "nasnet-cells"),
    *("darts-rnn", "rnn-nets", "rnn-tree"),
}
"""Spaces whose nets still do: settings stand beside the archs of others, and of sequences in the tests of
`Product`."""
CASES = [(name, key) for name in sorted(SPACES) for key in SETTINGS if not key or name not in ARCHS_ALONE]


BY_DAY = ("nats-tss", "darts-s3")
"""Spaces whose archs have settings beside them by day as well: one with numbered archs, and one without."""

BY_NIGHT = {
    "grammar-nets": pytest.mark.slow(faster="test_named_nets_are_those_that_are_written_plainly"),
}
"""Spaces of large nets, each with what tests its nets by day."""


def case(name: str, key: str) -> object:
    late = pytest.mark.slow(faster="test_what_the_space_can_do_the_product_can")
    mark = late if key and name not in BY_DAY else BY_NIGHT.get(name)
    return pytest.param((name, key), id=f"{key}-{name}", marks=[mark] if mark else [])


class Sentences:
    """Two sentences of five words, of which there are seven."""

    num_outputs = 7

    def minibatch(self) -> tuple[Tensor, Tensor]:
        words = torch.randint(7, (2, 6), generator=torch.Generator().manual_seed(0))
        return words[:, :-1], words[:, 1:]

    loss = staticmethod(TextTask.loss)


class TestEverySpace(SpaceContract):
    @pytest.fixture
    def task(self, space: SearchSpace) -> Learned:
        return Sentences() if hasattr(space, "reads") else IMAGES

    @pytest.fixture(params=[case(*one) for one in CASES])
    def space(self, request: pytest.FixtureRequest) -> SearchSpace:
        name, key = request.param
        return open_space(f"{name}{SMALL.get(name, '')}{SETTINGS[key]}")
