"""How often one-shot methods find what is right, on images with a known answer."""
