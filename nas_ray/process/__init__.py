"""This process: signals, its own processes, foreign code, what it inherits, limits of time."""
