"""The space of codes: ways between samples, mixed styles, directions, the code of a picture."""
