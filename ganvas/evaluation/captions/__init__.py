"""Scores of pictures made from captions: whether they show what the caption says, and how much they differ."""
