"""The machine: files, console, device, other ranks, safe reading of pickles."""
