"""Read other projects' generators, and write ours for use without ganvas."""
