"""The formats that samples are read from, one file each."""
