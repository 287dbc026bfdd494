"""Search spaces: sets of archs, how to build them, and what else they may be asked.

The names of `__init__.pyi`, imported when they are first used, so that a searcher needs no torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
