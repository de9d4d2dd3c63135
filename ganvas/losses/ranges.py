"""Settings that penalties share, and their ranges."""

from ..errors import refuse

WEIGHT_SETTINGS = ("gamma", "weight")


def check_penalty_settings(every: int, **settings: float) -> None:
    """Raises GanvasError for an interval below 1, a weight below 0, or a distance that is not positive."""
    refuse(every < 1, "every", every, "1 or more", "--method.penalties.0.every 1")
    for name, value in settings.items():
        flag = f"--method.penalties.0.{name}"
        if name in WEIGHT_SETTINGS:
            refuse(not value >= 0, name, value, "0 or more", f"{flag} 1.0")
        else:
            refuse(not value > 0, name, value, "above 0", f"{flag} 0.1")
