"""Tables and figures computed from finished runs; each needs only a DataFrame."""
