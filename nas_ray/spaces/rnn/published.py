"""Recurrent cells of papers and of torch by name, as a space of rows beside found ones."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from nas_ray.spaces.by_name import NamedArchs
from nas_ray.spaces.rnn.cells import Node, RecurrentCell
from nas_ray.spaces.rnn.sizes import RecurrentSizes

if TYPE_CHECKING:
    from torch import nn


def _nodes(text: str) -> tuple[Node, ...]:
    parts = (part.split("~") for part in text.split())
    return tuple((op, int(source)) for op, source in parts)


PUBLISHED: Mapping[str, RecurrentCell] = MappingProxyType(
    {
        # Liu et al., "DARTS", ICLR 2019: first and second order.
        "darts-v1": RecurrentCell(_nodes("relu~0 relu~1 tanh~2 relu~3 relu~4 identity~1 relu~5 relu~1")),
        "darts-v2": RecurrentCell(
            _nodes("sigmoid~0 relu~1 relu~1 identity~1 tanh~2 sigmoid~5 tanh~3 relu~5")
        ),
        # Pham et al., "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018.
        "enas": RecurrentCell(
            _nodes("tanh~0 tanh~1 relu~1 tanh~3 tanh~3 relu~3 relu~4 relu~7 relu~8 relu~8 relu~8"),
            (2, 5, 6, 9, 10, 11),
        ),
        # What `DartsRnn.sample` draws first from seed 0: a row that no search has made.
        "random": RecurrentCell(
            _nodes("identity~0 sigmoid~1 relu~0 tanh~0 tanh~0 identity~3 identity~3 sigmoid~7")
        ),
    }
)
"""Cells by name, as released code has them; all but that of ENAS are archs of `darts-rnn`."""

KINDS = ("lstm", "gru", "rnn")
"""Cells of torch: of Hochreiter and Schmidhuber (1997), Cho et al. (2014), and Elman's with tanh (1990)."""


class RnnNets(NamedArchs, RecurrentSizes):
    """Recurrent cells of papers, and LSTM, GRU and the plain RNN; an arch is a name.

    All have one layer in the same net, which reads tokens `[B, T]`.

    Args:
        width, embedding: as of `RecurrentSizes`.
    """

    name = "rnn-nets"
    NAMED: ClassVar[Mapping[str, RecurrentCell | str]] = MappingProxyType(
        {**PUBLISHED, **dict(zip(KINDS, KINDS, strict=True))}
    )
    KIND: ClassVar[str] = "recurrent cell"

    def build(self, arch: str, num_classes: int) -> nn.Module:
        """Returns a new net of tokens `[B, T]` to logits `[B, T, num_classes]`, a vocabulary of that size.

        Raises:
            UsageError: unknown name.
        """
        from nas_ray.spaces.rnn.darts_cell import DartsCell
        from nas_ray.spaces.rnn.nets import LanguageNet
        from nas_ray.spaces.rnn.torch_cells import TorchCell

        known = self._named(arch)
        make = DartsCell if isinstance(known, RecurrentCell) else TorchCell
        return LanguageNet(make(known, self.embedding, self.width), num_classes, self.embedding)
