"""Tuning the recipe of one arch: a search over settings alone."""
