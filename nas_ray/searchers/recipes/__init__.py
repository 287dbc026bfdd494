"""Searchers that move in settings, and what settings are to them: numbers from 0 to 1."""
