"""The arguments of the two-stage search."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import Annotated

from nas_ray.errors import UsageError, printable
from nas_ray.search.arguments import AnySearchArgs
from nas_ray.terminal.lists import parted
from nas_ray.terminal.ranges import EPOCHS, SOME, Range, check_ranges, whole_number


@dataclass(frozen=True)
class TwoStageArgs(AnySearchArgs):
    """Arguments of a search by scores whose best archs are trained, fewer of them for longer."""

    keep: Annotated[int, SOME] = 16
    """Best archs by score that are trained."""
    rungs: tuple[str, ...] = ("1", "4", "12")
    """Epochs after which only the best go on, separated by commas or spaces; the schedule of the recipe
    (--fidelity, default fast) is as long as the last. Of --keep 16 with the default --reduction-factor 3, 16
    archs train for 1 epoch, 6 for 4 and 2 for 12."""
    weight: Annotated[float, Range(0.0, 1.0)] = 1.0
    """What valid_acc weighs against the standardised scores when trained archs are compared: 1 is valid_acc
    alone, 0.5 counts both alike."""

    def smoked(self) -> TwoStageArgs:
        """Returns the same arguments with a tiny budget."""
        small = dataclasses.replace(
            self,
            keep=min(self.keep, 2),
            rungs=("1", "2"),
            fidelity=self.fidelity or "fast:data_fraction=0.1",
        )
        return super(TwoStageArgs, small).smoked()  # type: ignore[return-value]

    def checked_rungs(self) -> list[int]:
        """Returns the epochs of the rungs.

        Raises:
            UsageError: they do not grow, or another number of this experiment is out of range.
        """
        texts = parted(self.rungs)
        given = [whole_number(text) or 0 for text in texts]
        if not given or given[0] < 1 or any(one >= two for one, two in itertools.pairwise(given)):
            raise UsageError(
                "--rungs must be growing whole numbers such as 1,4,12, got "
                f"'{printable([' '.join(self.rungs)])[0]}'."
            )
        EPOCHS.check("The last of --rungs", given[-1])
        check_ranges(self)
        if self.scheduler != "none":
            raise UsageError("--scheduler has no place here: the rungs stop trainings; leave it out.")
        return given
