"""Whole nets as sentences of a grammar: sequences, branches and routings of layers."""
