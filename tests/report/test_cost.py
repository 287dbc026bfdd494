from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from nas_ray.images.datasets import DATASETS
from nas_ray.proxies.flops import flops
from nas_ray.proxies.params import params
from nas_ray.report.cost import with_costs
from nas_ray.spaces import NatsTss


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize(("channels", "cells"), [(16, 5), (6, 2)])
def test_costs_are_those_that_the_proxies_count(dataset: str, channels: int, cells: int) -> None:
    space, facts = NatsTss(channels, cells), DATASETS[dataset]
    archs = [space[index] for index in (0, 857, 6111, 15_624)]
    rows = with_costs(pd.DataFrame({"arch": archs}), facts, channels, cells)
    image, target = torch.zeros(1, 3, facts.image_size, facts.image_size), torch.zeros(1)
    nets = [space.build(arch, facts.num_classes) for arch in archs]
    assert rows["params"].tolist() == [params(net, image, target) for net in nets]
    assert rows["flops"].tolist() == [flops(net, image, target) for net in nets]
    assert rows["params"].nunique() > 2


def test_what_is_known_is_kept_and_what_is_foreign_unknown() -> None:
    arch = NatsTss()[0]
    rows = pd.DataFrame({"arch": [arch, "x" + arch], "params": [1.0, 2.0]})
    table = with_costs(rows, DATASETS["cifar10"])
    assert table["params"].tolist() == [1.0, 2.0]
    assert np.isfinite(table["flops"][0])
    assert np.isnan(table["flops"][1])
    assert with_costs(rows.tail(1), DATASETS["cifar10"]).equals(rows.tail(1))
