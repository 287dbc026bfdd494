"""A proxy held against what a proxy must be: what is wrong with it, in words, worst first."""
