"""Code that workers cannot import travels to them with what is of it."""

from __future__ import annotations

from typing import Any

from nas_ray.drivers.ray_compat import register_by_value
from nas_ray.process.plugins import shipped_by_value


def ship_modules() -> None:
    """Makes Ray send the code of modules that workers could not import; call it before anything is sent."""
    for module in shipped_by_value():
        register_by_value(module)


def travelled(thing: Any) -> Any:
    """Returns what arrives of a thing in another process of Ray."""
    from ray import cloudpickle

    ship_modules()
    return cloudpickle.loads(cloudpickle.dumps(thing))
