"""Training an arch to the end, and what is left of it: a net, a card, pictures, and nets beside it."""
