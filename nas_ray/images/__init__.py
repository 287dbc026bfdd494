"""Datasets and sources of images, and the minibatch that is drawn from them."""
