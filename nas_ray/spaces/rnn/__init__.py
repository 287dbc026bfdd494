"""Recurrent cells as spaces, and the nets of language that they make."""
