"""Calls a proxy on many nets and minibatches, and says in words what is wrong with it.

The same as `nas-ray check-proxy`; `--help` tells the rest.
"""

from __future__ import annotations

from nas_ray.commands.start import script

if __name__ == "__main__":
    script("check_proxy")
