"""The parts of `gpu_check.py`: each a function that yields rows, run in a process of its own."""
