"""Every command, once: its name, its arguments, its work; each answers before torch is imported."""
