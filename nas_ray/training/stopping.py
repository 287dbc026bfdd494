"""Which schedulers there are and what they need, told before Ray is imported."""

from __future__ import annotations

from nas_ray.errors import UsageError, unknown_name

SCHEDULERS = ("none", "asha", "hyperband", "median")


def check_scheduler(name: str, *, epochs: int, grace_epochs: int, reduction_factor: float) -> None:
    """Checks that `make_scheduler` can make a scheduler of these arguments.

    Raises:
        UsageError: unknown scheduler, or a number out of range.
    """
    if name == "pbt":
        raise UsageError(
            "The scheduler pbt copies weights between trials, which different archs cannot share; choose "
            "asha, hyperband or median."
        )
    if name not in SCHEDULERS:
        raise UsageError(unknown_name("scheduler", name, list(SCHEDULERS)))
    if name != "none" and epochs < 2:
        raise UsageError(f"The scheduler {name} needs trainings of at least 2 epochs, got {epochs}.")
    if not 1 <= grace_epochs <= epochs:
        raise UsageError(f"--grace-epochs must be from 1 to {epochs}, the epochs, got {grace_epochs}.")
    if not 1 < reduction_factor < float("inf"):
        raise UsageError(f"--reduction-factor must be larger than 1, got {reduction_factor}.")
