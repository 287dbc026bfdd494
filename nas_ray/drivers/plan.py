"""What a search may spend, how its trials are run, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nas_ray.errors import UsageError, unknown_name
from nas_ray.errors.checks import CALLABLE, TEXT, check_all, instance, real, whole
from nas_ray.rows import Event, Row

RAY, PROCESS = "ray", "process"
DRIVERS = (RAY, PROCESS)
"""Where trials run: in workers of Ray, or one after the other in this process, without Ray."""


class Cancelled(Exception):
    """A search was cancelled by who listens to it; the journal has all that happened before."""


@dataclass(frozen=True)
class Budget:
    """What a search may spend; it ends at whichever limit comes first, and at the end of its searcher.

    Attributes:
        num_samples: evaluations in all, with repeated archs and those of a resumed run; None for no limit.
        seconds: seconds of search after which no new evaluation starts; None for no limit.

    Raises:
        UsageError: no such number.
    """

    num_samples: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        check_all({"num_samples": whole(0).or_none, "seconds": real(0, finite=False).or_none}, vars(self))

    def spent(self, num_asked: int, seconds: float) -> bool:
        """Returns whether no further evaluation may start."""
        enough = self.num_samples is not None and num_asked >= self.num_samples
        return enough or (self.seconds is not None and seconds >= self.seconds)


_PLANNED: Final = {
    **dict.fromkeys(("cpus", "gpus", "cpus_per_trial", "gpus_per_trial"), real(0)),
    **dict.fromkeys(("max_concurrent", "archs_per_trial"), whole(1)),
    "where": TEXT,
    "driver": instance(str, " or ".join(DRIVERS)),
    "trial_timeout_s": real(0, above=True).or_none,
    "scheduler": CALLABLE.or_none,
}


@dataclass(frozen=True)
class Plan:
    """How the trials of a search are run.

    Attributes:
        cpus: CPU cores in all.
        gpus: GPUs in all.
        cpus_per_trial: cores of one trial.
        gpus_per_trial: share of a GPU of one trial.
        max_concurrent: trials in flight; 1 in this process.
        where: one phrase for the user.
        driver: `ray`, or `process` for this process alone.
        archs_per_trial: most archs of one trial, asked for before any of them has a row.
        trial_timeout_s: seconds that the evaluation of an arch may take; what takes longer is a failed row.
        scheduler: makes a scheduler of Ray Tune that stops trainings early; None stops nothing.

    Raises:
        UsageError: no such driver, or one that cannot do what is planned.
    """

    cpus: int = 1
    gpus: float = 0
    cpus_per_trial: float = 1
    gpus_per_trial: float = 0
    max_concurrent: int = 1
    where: str = ""
    driver: str = RAY
    archs_per_trial: int = 1
    trial_timeout_s: float | None = None
    scheduler: Callable[[], Any] | None = None

    def __post_init__(self) -> None:
        check_all(_PLANNED, vars(self))
        if self.driver not in DRIVERS:
            raise UsageError(unknown_name("driver", self.driver, list(DRIVERS)))
        if self.driver == RAY:
            return
        if self.max_concurrent != 1:
            raise UsageError(
                "The driver process runs one trial after the other, so max_concurrent must be 1, got "
                f"{self.max_concurrent}; take the driver ray for more."
            )
        if self.scheduler is not None:
            raise UsageError(
                "A scheduler of Ray Tune needs the driver ray; the driver process trains all epochs, so "
                "leave the scheduler out or take the other driver."
            )

    @property
    def accelerator(self) -> str:
        """Lightning's name of the device of a trial, `cpu` or `gpu`."""
        return "gpu" if self.gpus_per_trial else "cpu"


@dataclass(frozen=True)
class Listeners:
    """Who hears of a search while it runs, and may end it; called in the thread of the search.

    Attributes:
        on_event: gets a copy of every event, when the journal has it.
        on_epoch: gets the rows of trials that are still trained.
        cancelled: asked often; True ends the search soon. `is_set` of a `threading.Event` is one, so any
            thread can cancel. What is under way then has no row, and is evaluated first when it is resumed.
        callbacks: of Ray Tune (`ray.tune.Callback`), such as loggers; they see each trial's row beside its
            arch. For the driver `ray`; over Ray Client copies of them run at the head.
    """

    on_event: Callable[[Event], None] | None = None
    on_epoch: Callable[[list[Row]], None] | None = None
    cancelled: Callable[[], bool] | None = None
    callbacks: Sequence[Any] = ()

    def __post_init__(self) -> None:
        functions = ("on_event", "on_epoch", "cancelled")
        check_all(dict.fromkeys(functions, CALLABLE.or_none), vars(self))

    def check(self) -> None:
        """Goes on unless the search is cancelled.

        Raises:
            Cancelled: it is.
        """
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("the search was cancelled")
