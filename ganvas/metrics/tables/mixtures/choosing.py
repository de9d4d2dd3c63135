"""How many components a mixture gets."""

from collections.abc import Sequence

import numpy as np

from .fitting import fit_mixture
from .mixture import ProductMixture
from .shares import CodeRanks

FEWEST_COMPONENTS, FACTOR = 64, 4


def choose_mixture(codes: np.ndarray, layouts: Sequence[CodeRanks], most: int, seed: int) -> ProductMixture:
    """The mixture under which rows that fitting left out are likeliest: 64 components, or four times as many, up to `most`."""
    best = fit_mixture(codes, layouts, components=min(FEWEST_COMPONENTS, most), seed=seed)
    for components in (FEWEST_COMPONENTS * FACTOR**k for k in range(1, 10)):
        if components > most:
            break
        larger = fit_mixture(codes, layouts, components=components, seed=seed)
        if not larger.held_out > best.held_out:
            break
        best = larger
    return best
