"""The metrics there are, one module a subject: what an operator or a leader may ask for."""
