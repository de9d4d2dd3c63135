"""The space of codes: paths between samples, mixed styles, directions, the code of a picture."""
