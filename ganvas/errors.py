"""The one exception a user is meant to read: what is wrong, where, and how to put it right."""


class GanvasError(Exception):
    """A failure explained in a line or two. The command line prints it without a traceback and exits with 1."""
