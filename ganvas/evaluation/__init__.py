"""Scores that can be believed, and pictures that show what scores overlook."""
