"""Others' files read, and ours written for others."""
