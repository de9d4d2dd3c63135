"""Settings that penalties share, and their ranges."""

from ..errors import refuse


def check(gamma: float, every: int, sigma: float = 1.0) -> None:
    """Raises GanvasError for a weight below 0, an interval below 1 or a distance that is not positive."""
    refuse(not gamma >= 0, "gamma", gamma, "0 or more", "--method.penalties.0.gamma 1.0")
    refuse(every < 1, "every", every, "1 or more", "--method.penalties.0.every 1")
    refuse(not sigma > 0, "sigma", sigma, "above 0", "--method.penalties.0.sigma 0.1")
