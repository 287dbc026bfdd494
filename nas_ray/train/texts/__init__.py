"""`nas-ray train` on a text."""
