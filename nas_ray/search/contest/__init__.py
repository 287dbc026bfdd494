"""Searches side by side on several sets of images, each with the same budget, and what they found trained."""
