"""What a recipe says of texts alone, and the recipes for them as data; a light module, for quick answers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any, Final

from nas_ray.terminal.ranges import Range

_SHARE: Final = Range(0.0, 1.0, below=True)
_PENALTY: Final = Range(0.0, 1e30)
MOST_BPTT: Final = 10**5


@dataclass(frozen=True)
class TextOptions:
    """How a net learns a text: in pieces, with dropouts that stay the same for all steps of a piece."""

    bptt: Annotated[int, Range(2, MOST_BPTT)] = 35
    """Tokens of a text that are read before a step is made; the state is carried on."""
    bptt_varies: bool = True
    """Whether these are drawn at random around bptt, and the learning rate is scaled by them."""
    word_dropout: Annotated[float, _SHARE] = 0.0
    """Share of the words of a vocabulary that is dropped from a piece, wherever they stand."""
    embedding_dropout: Annotated[float, _SHARE] = 0.0
    """Share of the features of embedded words that is dropped."""
    input_dropout: Annotated[float, _SHARE] = 0.0
    """Share of what a recurrent cell reads of a word that is dropped."""
    hidden_dropout: Annotated[float, _SHARE] = 0.0
    """Share of the state of a recurrent cell that is dropped."""
    output_dropout: Annotated[float, _SHARE] = 0.0
    """Share of what words are told from that is dropped."""
    activation_penalty: Annotated[float, _PENALTY] = 0.0
    """Weight of the mean square of the outputs of a recurrent net, after their dropout."""
    temporal_penalty: Annotated[float, _PENALTY] = 0.0
    """Weight of the mean square of the change of these outputs from token to token, before their dropout."""
    nonmonotone: Annotated[int, Range(0, 10**6)] = 0
    """Once validation is worse than the best of all but so many last epochs, weights are averaged from there
    on, and the average is what counts; 0 for never."""


TEXT_OPTIONS: Final = tuple(field.name for field in dataclasses.fields(TextOptions))
RECURRENT: Final = tuple(name for name in TEXT_OPTIONS if name.endswith(("_dropout", "_penalty")))
"""Those that a recurrent net alone can follow."""

TEXT_RECIPES: Final[dict[str, dict[str, Any]]] = {
    # For small nets and few epochs: small batches for many steps, and little is dropped.
    "lm-fast": {
        "epochs": 6,
        "batch_size": 20,
        "lr": 20.0,
        "momentum": 0.0,
        "nesterov": False,
        "weight_decay": 5e-7,
        "schedule": "linear",
        "clip_grad_norm": 0.25,
        "embedding_dropout": 0.1,
        "hidden_dropout": 0.1,
        "output_dropout": 0.2,
        "temporal_penalty": 1e-3,
    },
    # Liu et al., "DARTS", ICLR 2019, section 3.2 and the released code: how recurrent cells are judged, on
    # nets of 850 units.
    "lm-darts": {
        "epochs": 8_000,
        "batch_size": 64,
        "lr": 20.0,
        "momentum": 0.0,
        "nesterov": False,
        "weight_decay": 8e-7,
        "schedule": "constant",
        "clip_grad_norm": 0.25,
        "word_dropout": 0.1,
        "embedding_dropout": 0.2,
        "input_dropout": 0.75,
        "hidden_dropout": 0.25,
        "output_dropout": 0.75,
        "temporal_penalty": 1e-3,
        "nonmonotone": 5,
    },
}
"""Options of `Recipe` by the name of the recipe."""
