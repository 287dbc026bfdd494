"""Nets as graphs of their layers: what follows what and how often, and with which properties.

The names of `__init__.pyi`, imported when they are first used, so that a stored graph needs no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
