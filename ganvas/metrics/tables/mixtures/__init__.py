"""A likelihood baseline of tables: a mixture of product distributions, fitted by EM (Dempster, Laird, Rubin 1977)."""

from .choosing import choose_mixture
from .fitting import fit_mixture
from .mixture import ProductMixture
from .shares import CodeRanks

__all__ = ["CodeRanks", "ProductMixture", "choose_mixture", "fit_mixture"]
