"""The best arch of a whole space, with a proof: what `experiments/best_arch.py` does."""
