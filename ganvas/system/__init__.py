"""What the machine is and does: files, the screen, the device, other ranks, safe reading."""
