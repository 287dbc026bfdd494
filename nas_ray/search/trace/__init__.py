"""Nets traced into graphs of their layers: as tables, as pictures and as files."""
