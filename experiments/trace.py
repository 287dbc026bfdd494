"""Traces nets into graphs of their layers: what follows what, how often, and with which properties.

The same as `nas-ray trace`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("trace")
