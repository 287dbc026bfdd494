"""Many archs on one set of weights: batched proxies, trainable supernets, one-shot methods.

The names of `__init__.pyi`, imported when they are first used, so that a method can be refused at once.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
