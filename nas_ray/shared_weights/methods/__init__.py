"""One-shot methods as data: each is a composition of parts, and every part goes with every other.

`named.py` has the table, one file each kind of part, and `search.py` puts them together. The names of
`__init__.pyi` are imported when they are first used, so that a method can be refused at once.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
