"""A run from its request to its last score card."""
