"""Texts: how they are named, read, told in tokens and cut into batches of streams."""
