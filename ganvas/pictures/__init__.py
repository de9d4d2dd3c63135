"""Tables of pictures, and films."""
