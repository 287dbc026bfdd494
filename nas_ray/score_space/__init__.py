"""Scores lists of archs in chunks, with workers that live long: what `nas-ray score-space` does."""
