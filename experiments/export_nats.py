"""Turns the official NATS-Bench directory into one table of a few MB, in one pass with flat memory.

The same as `nas-ray export-nats`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("export_nats")
