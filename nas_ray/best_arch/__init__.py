"""The best arch of a whole space, with a proof: what `nas-ray best-arch` does."""
