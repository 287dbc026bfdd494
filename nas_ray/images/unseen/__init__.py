"""Generated images that no architecture was tuned for."""
