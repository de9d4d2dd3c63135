"""The one exception a user is meant to read: what is wrong, where, and how to put it right."""


class GanvasError(Exception):
    """A failure explained in a line or two. The command line prints it without a traceback and exits with 1."""


class MissingLabelsError(GanvasError):
    """Networks that need labels, and data that has none."""


def refuse(is_wrong: bool, field: str, value: object, requirement: str, remedy: str) -> None:
    """Raise GanvasError for a setting out of range, with what would do."""
    if is_wrong:
        raise GanvasError(f"{field} must be {requirement}, got {value}: {remedy}")
