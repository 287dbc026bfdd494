"""One search from arguments to a run folder: what the search scripts do."""
