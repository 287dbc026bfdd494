"""One-shot searches side by side: methods and seeds, each a trial, and what the archs that they find are worth."""
