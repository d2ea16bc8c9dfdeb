"""A simulated one-stop system that speaks to the product over the wire only."""
