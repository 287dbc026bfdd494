"""One-shot methods as data: each is a composition of parts, and every part goes with every other.

`method.py` has the table, one file each kind of part, and `search.py` puts them together.
"""
