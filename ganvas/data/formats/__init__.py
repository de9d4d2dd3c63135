"""Formats from which samples are read, one file each."""
