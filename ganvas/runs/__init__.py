"""Runs on disk: folders, checkpoints and the state of training."""
