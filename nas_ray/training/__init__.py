"""Recipes, modules and batches of trainings, and the trained net."""
