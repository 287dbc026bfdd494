"""How well do proxies rank? Scores archs and compares the scores with a benchmark on each dataset.

The same as `nas-ray correlate`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("correlate")
