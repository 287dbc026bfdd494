"""Scores lists of archs in chunks, with workers that live long: what `experiments/score_space.py` does."""
