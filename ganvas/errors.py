"""The one exception a user is meant to read: what is wrong, where, and how to put it right."""


class GanvasError(Exception):
    """A failure explained in a line or two. The command line prints it without a traceback and exits with 1."""


def refuse(wrong: bool, field: str, value: object, allowed: str, remedy: str) -> None:
    """Raise GanvasError for a setting out of range, with what would do."""
    if wrong:
        raise GanvasError(f"{field} must be {allowed}, got {value}: {remedy}")
