"""Holds a table of results against all that a space can give, and says which rows cannot be true.

The same as `nas-ray audit`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("audit")
