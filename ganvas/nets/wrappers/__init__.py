"""Wrappers for any networks."""
