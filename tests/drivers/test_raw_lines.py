from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nas_ray.drivers.raw_lines import raw_lines, telling

GONE = "Failed to connect to GCS at address 10.0.0.1:6379 within 5 seconds."
RAW = f"[2026-11-29 05:05:36,630 W 2532 2532] rpc_client.h:153: {GONE}\n"
"""As Ray 2.60 writes it."""


def test_raw_lines_are_kept_and_python_writes_on(capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():  # what a terminal sees
        code = (
            "import logging, os, sys\n"
            "from nas_ray.drivers.raw_lines import raw_lines\n"
            "print('before', file=sys.stderr)\n"
            "with raw_lines(kept=True) as heard:\n"
            f"    os.write(2, {RAW.encode()!r})\n"
            "    print('ours', file=sys.stderr)\n"
            "    logging.basicConfig()\n"
            "    os.write(2, b'(raylet) more')\n"
            "    print(heard.lines())\n"
            "os.write(2, b'after')\n"
            "print(' ours', file=sys.stderr)\n"
            "logging.error('later')\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr == "before\nours\nafter ours\nERROR:root:later\n"
    assert done.stdout == f"{[GONE, '(raylet) more']}\n"


def test_here_too(capfd: pytest.CaptureFixture[str]) -> None:
    with raw_lines(kept=True) as heard:
        os.write(2, RAW.encode())
        assert heard.lines() == [GONE]
    with raw_lines(kept=False) as heard:
        os.write(2, b"shown")
        assert heard.lines() == []
    assert capfd.readouterr().err == "shown"


def test_what_is_raised_inside_puts_all_back(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), raw_lines(kept=True):
        raise KeyError
    os.write(2, b"shown")
    assert capfd.readouterr().err == "shown"


def test_the_line_that_matters_is_the_first_that_says_what_failed() -> None:
    assert telling(["Connecting to existing Ray cluster", GONE, "Timed out while waiting"]) == GONE
    assert telling(["Connecting to existing Ray cluster"]) is None
