"""What a command on stored scores makes of them, and the folder that it goes to, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from rich.console import Console

from nas_ray.drivers.lifecycle import Ending, command_again, guarded
from nas_ray.runs.claim import claimed
from nas_ray.runs.record import Record
from nas_ray.runs.writing import staged, write_table, write_text
from nas_ray.terminal.argument_groups import OutArgs
from nas_ray.terminal.console import say
from nas_ray.terminal.next_steps import say_next


@dataclass(frozen=True)
class Made:
    """What came out.

    Attributes:
        tables: by the names of their files.
        told: prints what is to be said.
        then: the commands that come next.
        texts: other files by their names.
    """

    tables: Mapping[str, pd.DataFrame]
    told: Callable[[], None]
    then: tuple[str, ...]
    texts: Mapping[str, str] = field(default_factory=dict)


def in_folder(out: Path, experiment: str, args: OutArgs, make: Callable[[], Made], console: Console) -> int:
    """Makes, writes to the folder `out` and tells; returns the exit code.

    Raises:
        UsageError: the folder holds something else or cannot be written, or what `make` raises.
    """
    with claimed(out, experiment):
        record = Record(out, experiment, args)

        def work() -> int:
            record.begin()
            made = make()
            with staged(out) as beside:
                for name, table in made.tables.items():
                    write_table(beside, table, name)
                for name, text in made.texts.items():
                    write_text(beside / name, text)
            for name in made.tables:
                record.wrote(name)
            made.told()
            record.end("finished")
            say(console, f"Folder: {out}")
            say_next(console, *made.then)
            return 0

        ending = Ending(
            "choice" if experiment == "choose" else experiment, record.end, go_on=lambda: command_again(out)
        )
        return guarded(work, ending, console)
