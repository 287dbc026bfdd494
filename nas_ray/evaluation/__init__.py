"""An arch becomes a row: by proxies, by a look-up, by a short training, within limits."""
