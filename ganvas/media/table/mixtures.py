"""Numbers as a mixture of Gaussians: the modes of mode-specific normalisation. Xu et al. 2019, section 4.2."""

import importlib
import warnings
from typing import Any

import numpy as np

from ...configuration import config
from ...errors import GanvasError
from .columns import CodeLayout, DateColumn, NumberColumn

FIT_COUNT = 2_000  # numbers that a mixture is fitted to: Adult takes 2 s, and 5,000 took 14 s
CONCENTRATION = 1e-3  # prior of the Dirichlet process: a small one leaves modes empty that are not needed
REACH = 4.0  # standard deviations from a mode's mean to alpha = 1


@config
class ModeMixture:
    """M Gaussian modes of a column of numbers, the commonest first."""

    means: tuple[float, ...]
    sigmas: tuple[float, ...]
    weights: tuple[float, ...]  # their sum is 1


def fit_modes(numbers: np.ndarray, most: int, least_weight: float) -> ModeMixture:
    """A mixture of up to `most` Gaussians with the weights that numbers, float64 [n], ask for; modes below `least_weight` go.

    Raises:
        GanvasError: scikit-learn is missing.
    """
    centre, scale = float(numbers.mean()), float(numbers.std()) or 1.0
    model = _import_mixture().BayesianGaussianMixture(
        n_components=min(most, len(np.unique(numbers))),
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=CONCENTRATION,
        max_iter=100,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that 100 iterations do not converge says nothing here: the modes are good enough
        model.fit(((numbers - centre) / scale)[:, None])
    order = np.argsort(-model.weights_, kind="stable")
    order = order[: max(1, int((model.weights_ > least_weight).sum()))]
    weights = model.weights_[order] / model.weights_[order].sum()
    means = centre + scale * model.means_[order, 0]
    sigmas = scale * np.sqrt(model.covariances_[order, 0, 0])
    return ModeMixture(means=tuple(means.tolist()), sigmas=tuple(sigmas.tolist()), weights=tuple(weights.tolist()))


def spread_numbers(column: NumberColumn, count: int = FIT_COUNT) -> np.ndarray:
    """`count` numbers, float64, evenly spaced in rank. They come from the codec's intervals, so none is anybody's own."""
    layout, (low, high) = column.lay_out(), list_ends(column)
    order = np.argsort(np.where(np.isnan(layout.values), np.inf, layout.values), kind="stable")
    order = order[~np.isnan(layout.values[order])]
    totals = np.cumsum(layout.weights[order])
    ranks = (np.arange(count) + 0.5) / count * totals[-1]
    steps = np.searchsorted(totals, ranks)
    codes = order[steps]
    places = np.clip(1 - (totals[steps] - ranks) / layout.weights[codes], 0, 1)
    return low[codes] + (high[codes] - low[codes]) * places


def list_ends(column: NumberColumn) -> tuple[np.ndarray, np.ndarray]:
    """The lowest and the highest number of each code, float64 [K] each; NaN for missing values."""
    spikes, missing = np.array(column.spikes), np.array([np.nan] * column.has_missing)
    low, high = (np.concatenate([end, spikes, missing]) for end in column.ends)
    return low, high


def measure_scale(mixture: ModeMixture) -> tuple[float, float]:
    """The mean and the standard deviation of a mixture."""
    means, sigmas, weights = (np.array(part) for part in (mixture.means, mixture.sigmas, mixture.weights))
    centre = float(weights @ means)
    return centre, float(weights @ (sigmas**2 + (means - centre) ** 2)) ** 0.5


def get_number_column(column: object) -> NumberColumn | None:
    """The codec of the numbers of a column whose ranks are learnt; None for a column that is a one-hot or nothing."""
    number = column.number if isinstance(column, DateColumn) else column
    return number if isinstance(number, NumberColumn) and number.has_rank else None


def find_codes(column: NumberColumn, numbers: np.ndarray, tolerances: np.ndarray) -> np.ndarray:
    """The codes int64 [n] of numbers, float64 [n]: of the spike within its tolerance, else of the nearest value or interval."""
    low, high = column.ends
    codes = np.minimum(np.searchsorted(np.array(column.edges), numbers), len(low) - 1)
    if not column.spikes:
        return codes
    spikes = np.array(column.spikes)
    nearest = np.searchsorted((spikes[:-1] + spikes[1:]) / 2, numbers)
    gaps, distances = np.abs(spikes[nearest] - numbers), np.maximum(low[codes] - numbers, numbers - high[codes])
    half_unit = 0.5 * column.step / 10.0**column.decimals if column.decimals is not None else 0.0
    is_spike = (gaps < np.maximum(distances, 0)) | (gaps <= np.maximum(tolerances, half_unit))
    return np.where(is_spike, len(low) + nearest, codes)


def measure_shares(layout: CodeLayout) -> np.ndarray:
    """The share of rows of each place of a one-hot, float64 [K]."""
    return np.bincount(layout.hot, weights=layout.weights)


def _import_mixture() -> Any:
    try:
        return importlib.import_module("sklearn.mixture")
    except ImportError as error:
        raise GanvasError(
            "the modes of numbers are found by scikit-learn, which is missing: pip install 'ganvas[tables]'"
        ) from error
