"""Attacks on a trained run: what its samples, or its D, tell about the data that it has learnt from."""
