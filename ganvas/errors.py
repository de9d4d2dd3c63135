"""Exceptions for users. A message says what is wrong, where, and how to put it right."""


class GanvasError(Exception):
    """A failure that its message explains in a line or two. The command line prints it without a traceback and exits with 1."""


class SettingError(GanvasError):
    """A component's setting is out of range.

    field: the setting's name in the component. The command line adds the path to the component.
    """

    def __init__(self, message: str, field: str, value: object) -> None:
        super().__init__(message)
        self.field = field
        self.value = value


def require(is_valid: bool, field: str, value: object, allowed: str) -> None:
    """Raise SettingError unless a component's setting is valid: "FIELD must be ALLOWED, got VALUE"."""
    if not is_valid:
        raise SettingError(f"{field} must be {allowed}, got {value}", field, value)
