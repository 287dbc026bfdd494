"""Makes one HTML page about a run, or one that compares several, to be opened in any browser.

The same as `nas-ray report`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("report")
