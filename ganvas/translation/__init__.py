"""Using a translator: pictures of any size, folders and films."""
