"""Nets layer by layer, with connections between any two of them: the space of Zoph and Le (ICLR 2017)."""
