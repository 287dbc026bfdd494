"""Searches without training: operations of an initial supernet are removed until an arch is left.

`named.py` makes them; their names stand here, where they cost no torch.
"""

NAMES = ("zero-cost-pt", "te-nas")
