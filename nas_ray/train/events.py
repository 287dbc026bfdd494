"""TensorBoard's events of a training, which end with it whatever happens."""

from __future__ import annotations

import contextlib
from typing import Any

from nas_ray.process.lightning import TensorBoardLogger


class Events(TensorBoardLogger):
    """Lightning's logger, whose writer is left alone once the disk is full.

    Differs: the writer of tensorboardX tries to write what is left when Python ends, and would print a
    traceback below the sentence that the command has said.
    """

    def finalize(self, status: str) -> None:
        """Writes and closes the files.

        Raises:
            OSError: they cannot be written; the training that failed already is not told a second time.
        """
        try:
            super().finalize(status)
        except OSError:
            self._abandon()
            if status == "success":
                raise

    def _abandon(self) -> None:
        writers: dict[str, Any] = getattr(self._experiment, "all_writers", None) or {}
        for writer in writers.values():
            events = writer.event_writer
            with contextlib.suppress(AttributeError, OSError):  # of TensorBoard's own writer, which has none
                events._worker.stop()
            events._closed = True
