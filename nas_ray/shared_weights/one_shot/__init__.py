"""A one-shot search as a trial: epochs by Lightning, checkpoints, rows, and what was found in every epoch."""
