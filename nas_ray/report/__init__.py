"""Tables and figures computed from finished runs; each needs only a DataFrame and plain data.

The names of `__init__.pyi`, imported when they are first used: what draws nothing imports no matplotlib.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
