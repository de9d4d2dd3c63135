"""Reliable scores, and pictures that show what scores miss."""
