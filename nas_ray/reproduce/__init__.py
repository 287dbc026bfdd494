"""Runs published tables again on stored scores and sets ours beside the published figures."""
