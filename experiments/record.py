"""Judges a rule that ranks archs and that was fixed before it is judged, beside what counting tells.

The same as `nas-ray record`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("record")
