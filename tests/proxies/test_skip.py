from __future__ import annotations

import pytest
from torch import nn

from nas_ray.proxies import skip
from nas_ray.spaces.nats_tss import to_arch
from tests.proxies.nets import DISCONNECTED, batch, tss


@pytest.mark.parametrize(
    ("arch", "span"),
    [
        (DISCONNECTED, 0),
        ("|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|", 1),
        ("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|", 3),
        ("|skip_connect~0|+|skip_connect~0|none~1|+|skip_connect~0|none~1|none~2|", 2),
        (to_arch(("skip_connect",) * 6), (1 + 2 + 1 + 3 + 2 + 1) / 6),
    ],
)
def test_mean_spans(arch: str, span: float) -> None:
    assert skip(tss(arch), *batch()) == pytest.approx(span)


def test_a_net_without_skips() -> None:
    with pytest.raises(ValueError, match="^skip: needs a net with the attribute skip_spans.*got Linear.$"):
        skip(nn.Linear(3, 3), *batch())
