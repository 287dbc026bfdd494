"""How well scores rank: what `experiments/correlate.py` does."""
