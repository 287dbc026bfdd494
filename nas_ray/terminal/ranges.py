"""The range of every number that a user gives, declared beside it; a light module, for quick answers."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from functools import cache
from typing import Any, get_type_hints

from nas_ray.errors import UsageError, printable
from nas_ray.process.time_limit import LONGEST_S

MOST_SEED = 2**63 - 1
"""Largest seed, which every generator and every table of numbers takes."""
PER_CORE, FEWEST_AT_ONCE = 4, 8


@dataclasses.dataclass(frozen=True)
class Range:
    """Numbers that can work, used as `Annotated[int, Range(1, 10_000)]`; whole ones where both limits are.

    Attributes:
        least: smallest number.
        most: largest number.
        above: whether `least` itself is too small.
        below: whether `most` itself is too large.
        because: what the largest number comes from, told where it is exceeded.
    """

    least: float
    most: float
    above: bool = False
    below: bool = False
    because: str = ""

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are in the range."""
        return isinstance(self.least, int) and isinstance(self.most, int)

    def __contains__(self, value: object) -> bool:
        number = int if self.whole else (int, float)
        if not isinstance(value, number) or isinstance(value, bool):
            return False
        enough = value > self.least if self.above else value >= self.least
        return enough and (value < self.most if self.below else value <= self.most)  # NaN is in no range

    def check(self, name: str, value: object) -> None:
        """Checks a number that the user knows as `name`.

        Raises:
            UsageError: it is no number of this range.
        """
        if value in self:
            return
        typed = isinstance(value, (int, float)) and not isinstance(value, bool)
        kind = "" if typed else ("a whole number " if self.whole else "a number ")
        high = typed and isinstance(value, (int, float)) and value > self.most
        because = f", {self.because}" if self.because and high else ""
        raise UsageError(f"{name} must be {kind}{self}{because}, got {_given(value)}.")

    @property
    def short(self) -> str:
        """The range in few characters, such as `1..10,000`."""
        return f"{'>' * self.above}{_limit(self.least)}..{'<' * self.below}{_limit(self.most)}"

    def __str__(self) -> str:
        if self.above:
            return f"above {_limit(self.least)} and at most {_limit(self.most)}"
        return f"from {_limit(self.least)} to {'below ' if self.below else ''}{_limit(self.most)}"


def at_once(cores: int, place: str) -> Range:
    """Returns how many processes or threads of this package a place with so many cores can bear."""
    most = max(FEWEST_AT_ONCE, PER_CORE * cores)
    return Range(1, most, because=f"as {place} has {cores} CPU core{'' if cores == 1 else 's'}")


def local_cores() -> int:
    """Returns the CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


HERE = at_once(local_cores(), "this machine")
"""Processes or threads on this machine."""
THREADS = Range(1, max(256, HERE.most))
"""Threads of one process; a training that goes on here may have been begun on a machine with more cores."""
SEED = Range(0, MOST_SEED)
SECONDS = Range(0.0, LONGEST_S, above=True)
COUNT = Range(1, 10**9)
"""Things that are made one after the other, of which there may be any number."""
SOME = Range(1, 10**6)
"""Things that are held in memory together."""
CORES = Range(1, 10**6)
"""CPU cores of any machine or cluster; `resources.make_plan` knows how many there are."""
GPUS = Range(0, 10**6)
"""GPUs, as `CORES`."""
CHANNELS, CELLS = Range(1, 1_024), Range(1, 100)
"""Size of the nets; whether they fit into memory together, `drivers/weights.py` says."""
EPOCHS = Range(1, 10**5)
COST = Range(0.0, 10**18, above=True)
"""Parameters, multiply-adds, milliseconds or MiB of a net."""
WAIT = Range(0.0, LONGEST_S)
SHARES = Range(0.0, 10**6)
"""GPUs of one worker; `resources.check_request` knows which shares there are."""
SKIPS = Range(0, 10**6)
ANY = Range(0, 10**6)
"""As `SOME`, where 0 has a meaning of its own."""
RATE = Range(0.0, 10.0)
"""Learning rates; 0 has a meaning of its own."""
MOMENTUM = Range(0.0, 0.9999, above=True)
"""What a moving average keeps with each value; with 0 it would be the value itself."""
SCALE = Range(0.0, 1e6, above=True)
"""What a reward is multiplied with; nothing would be learnt with 0."""
WEIGHT = Range(0.0, 1e6)
"""What one part of an objective counts beside the other."""
RESAMPLES = 10**6
"""Most draws of a bootstrap."""
DRAWN_AT_ONCE = 10**7
"""Numbers that a bootstrap holds at once, which take 8 bytes each."""


def ranges_of(kind: type) -> dict[str, Range]:
    """Returns the range of each number among the fields of a dataclass."""
    return _ranges(kind)


@cache
def _ranges(kind: type) -> dict[str, Range]:
    hints = get_type_hints(kind, include_extras=True)
    found = {}
    for field in dataclasses.fields(kind):
        for extra in getattr(hints[field.name], "__metadata__", ()):
            if isinstance(extra, Range):
                found[field.name] = extra
    return found


def check_ranges(args: Any) -> None:
    """Checks every number among the arguments of a command, which is a dataclass; None is no number.

    Raises:
        UsageError: one is out of its range.
    """
    check_values(type(args), {name: getattr(args, name) for name in ranges_of(type(args))})


def check_values(kind: type, values: Mapping[str, Any]) -> None:
    """Checks those of `values` that are numbers of the dataclass `kind`.

    Raises:
        UsageError: one is out of its range.
    """
    for name, known in ranges_of(kind).items():
        if values.get(name) is not None:
            known.check(option(name), values[name])


def check_seeds(seed: int, count: int, more: str) -> None:
    """Checks that the last of `count` seeds from `seed` on is a seed; the option `more` gives their number.

    Raises:
        UsageError: it is too large.
    """
    if seed + count - 1 not in SEED:
        raise UsageError(
            f"--seed must leave room for {more} up to {_limit(MOST_SEED)}, got --seed {seed} and {more} "
            f"{count}."
        )


def whole_number(text: str) -> int | None:
    """Returns the whole number that `text` writes in digits alone, None where it is no such number."""
    if not text.isdecimal():  # isdigit is true of ² as well, which int does not read
        return None
    try:
        return int(text)
    except ValueError:  # thousands of digits
        return None


def option(name: str) -> str:
    """Returns how the field `name` of arguments is given."""
    return "--" + name.replace("_", "-")


def _limit(number: float) -> str:
    if number == MOST_SEED:
        return "2^63 - 1"
    return f"{int(number):,}" if abs(number) < 10**12 and number == int(number) else f"{number:g}"


def _given(value: object) -> str:
    try:
        return printable([value])[0] if isinstance(value, (int, float)) else f"'{printable([value])[0]}'"
    except ValueError:  # Python writes no number of thousands of digits
        return "a number of thousands of digits"
