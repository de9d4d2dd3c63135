"""A run on disk: its folder, its checkpoints, the state of its training."""
