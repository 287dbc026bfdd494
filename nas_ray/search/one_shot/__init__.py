"""One-shot searches side by side: methods and seeds, each a trial, and what their archs are worth."""
