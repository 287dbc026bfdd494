"""How well scores rank: what `nas-ray correlate` does."""
