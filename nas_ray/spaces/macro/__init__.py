"""Whole nets without a skeleton: chains of layers, drawn from the graphs of other nets."""
