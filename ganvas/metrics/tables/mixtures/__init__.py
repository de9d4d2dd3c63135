"""A likelihood baseline of tables: a mixture fitted by EM (Dempster, Laird, Rubin 1977)."""

from .fitting import choose_mixture, fit_mixture
from .mixture import RowMixture
from .shares import CodeRanks

__all__ = ["CodeRanks", "RowMixture", "choose_mixture", "fit_mixture"]
