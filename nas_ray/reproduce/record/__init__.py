"""Aggregates of scores that were fixed before they were judged, the choice of them, and the judgement."""
