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
    if by in SCORES:
        return SCORES[by]
    kind, colon, listed = by.partition(":")
    return tuple(name.strip() for name in listed.split(",")) if colon else (kind,)
