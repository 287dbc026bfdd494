"""What a published search selects by, and what is reported of it."""

from __future__ import annotations

TEST, SHORT, LONG = "test_acc", "valid_acc_12", "valid_acc_200"
"""What is reported: the accuracy after 200 epochs, or the validation accuracy after 12 or 200."""

TRAINED = {SHORT: 12, LONG: 200}
"""The accuracies that searches may select by, and the epochs of their schedules."""

SCORES: dict[str, tuple[str, ...]] = {
    "naswot": ("naswot",),
    "synflow": ("synflow",),
    "freerea": ("naswot", "logsynflow"),
    SHORT: (),
    LONG: (),
}
"""What published searches select by, and the columns of stored scores that this needs."""


def scores_for(by: str) -> tuple[str, ...]:
    """Returns the columns of stored scores that `by` needs: a key of `SCORES`, or a fitness as text."""
    return SCORES[by] if by in SCORES else tuple(name for name in _named(by) if name not in TRAINED)


def trained_for(by: str) -> tuple[str, ...]:
    """Returns the keys of `TRAINED` that `by` looks at: itself, or those that the text of a fitness names."""
    return tuple(name for name in _named(by) if name in TRAINED)


def _named(by: str) -> tuple[str, ...]:
    kind, colon, listed = by.partition(":")
    return tuple(name.strip() for name in listed.split(",")) if colon else (kind,)
