"""Settings that penalties share, and their ranges."""

from ..errors import require

WEIGHT_SETTINGS = ("gamma", "weight")


def check_penalty_settings(every: int, **settings: float) -> None:
    """Raises SettingError for an interval below 1, a weight below 0, or a distance that is not positive."""
    require(every >= 1, "every", every, "1 or more")
    for name, value in settings.items():
        if name in WEIGHT_SETTINGS:
            require(value >= 0, name, value, "0 or more")
        else:
            require(value > 0, name, value, "above 0")
