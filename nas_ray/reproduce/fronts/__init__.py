"""Searchers with several objectives, judged by the true front of a table."""
