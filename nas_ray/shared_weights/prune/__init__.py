"""Searches without training: operations of an initial supernet are removed until an arch is left."""
