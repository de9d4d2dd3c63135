"""Do samples copy training samples? A nearest-neighbour test with samples that training never saw.

The question and the idea of held-out samples are those of Meehan, Chaudhuri and Dasgupta 2020. Their C_T compares the distances
of generated samples with those of held-out ones, so blurred samples hide copies. Here each sample is compared with itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

from ..configuration import config
from ..core import Features, RealFeatures
from ..errors import GanvasError
from .check import check_feature_pair
from .neighbours import find_nearest_points, iterate_distance_blocks

MIN_UNSEEN = 50  # with fewer held-out samples, not even a generator that only copies would stand out
MAX_PAIRS = 10**8  # distances to measure: some seconds with 1,280 features
SIGNIFICANT_ERRORS = 3.0  # standard errors above one half: chance alone gets there once in 700 cards


@config
class Copying:
    """ "copying", from 0 to 1, and its standard error "copying_std". One half: no copies. Near 1: nothing but copies.

    Each generated sample has one nearest real sample, among the training samples T and the unseen ones H. Of n_T samples it
    is in T, of n_H in H:

        copying = (n_T / |T|) / (n_T / |T| + n_H / |H|)

    Without copying, T and H are exchangeable, so this is one half for any generator, good or bad. If a share c of the samples
    copies T, it is near 1 / (2 - c). The standard error is that of a permutation of T and H (Schilling 1986, for two samples).

    Raises GanvasError unless there are MIN_UNSEEN unseen samples.
    """

    samples: int | None = 5_000

    @property
    def against(self) -> Literal["unseen"]:
        return "unseen"

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"copying": True, "copying_std": True}

    def applies_to(self, real: RealFeatures) -> bool:
        """Whether there are enough unseen samples."""
        return real.unseen is not None and len(real.unseen.features) >= MIN_UNSEEN

    def explain(self, scores: Mapping[str, float]) -> str:
        """A sentence if chance does not explain the score; else ""."""
        share, error = scores["copying"], scores["copying_std"]
        if share - 0.5 <= SIGNIFICANT_ERRORS * error:
            return ""
        return (
            f"copying: samples lie nearer to training samples than new ones would ({share:.2f} ± {error:.2f}, not 0.5): the "
            "generator copies; more augmentation or a shorter run helps"
        )

    def compute_baseline(self, real: RealFeatures, n: int) -> dict[str, float]:
        """The score of unseen samples in the place of generated ones. Each is compared with the others."""
        training, unseen = self._check_real(real)
        x = unseen[: self._limit_samples(n, training, unseen)]
        distances = [*(_measure_nearest(x, part) for part in training), _measure_nearest_others(x, unseen)]
        hits = _count_hits(distances, [*map(len, training), len(unseen)])
        return compare_hits(hits[:-1], hits[-1] * len(x) / (len(x) - 1))  # a sample is not near itself: one chance less

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        training, unseen = self._check_real(real)
        _, y = check_feature_pair(unseen, fake.features, min_samples=1)
        y = y[: self._limit_samples(len(y), training, unseen)].astype(np.float32)
        hits = _count_hits([_measure_nearest(y, part) for part in (*training, unseen)], [*map(len, training), len(unseen)])
        return compare_hits(hits[:-1], hits[-1])

    def _check_real(self, real: RealFeatures) -> tuple[list[np.ndarray], np.ndarray]:
        """Features of (the training samples in parts, the unseen samples), each float32 [N, D]."""
        if real.unseen is None or not self.applies_to(real):
            raise GanvasError(
                f"copying needs at least {MIN_UNSEEN} samples held out of training: hold out a larger share, or leave it out"
            )
        training = [part.features.astype(np.float32) for part in real.training]
        return training, real.unseen.features.astype(np.float32)

    def _limit_samples(self, n: int, training: Sequence[np.ndarray], unseen: np.ndarray) -> int:
        """How many of `n` samples to compare: fewer if the real ones are many."""
        real_count = sum(map(len, training)) + len(unseen)
        return min(n, self.samples or n, max(MIN_UNSEEN, MAX_PAIRS // real_count))


def compare_hits(training_hits: Iterable[np.ndarray], unseen_hits: np.ndarray) -> dict[str, float]:
    """The score, from how often each real sample is the nearest one."""
    trained = np.concatenate([*training_hits])
    everyone = np.concatenate([trained, unseen_hits])
    a, b, total = trained.mean(), unseen_hits.mean(), len(everyone)
    # the mean of a random subset, drawn without replacement; a few samples are the nearest ones of very many
    error_of_b = np.sqrt(everyone.var(ddof=1) / len(unseen_hits) * (1 - len(unseen_hits) / total))
    error = total * error_of_b / (2 * len(trained) * (a + b))  # so (score - 1/2) / error is b's permutation z-score
    return {"copying": float(a / (a + b)), "copying_std": float(error)}


def _measure_nearest(x: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row of x [N, D] (the distance to the nearest of `others` [M, D], its index), both [N]."""
    return find_nearest_points(x, others) if len(others) else (np.full(len(x), np.inf), np.zeros(len(x), np.int64))


def _measure_nearest_others(x: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`_measure_nearest`, where row i of x is row i of `points` and does not count."""
    distance, index = np.empty(len(x), x.dtype), np.empty(len(x), np.int64)
    for rows, distances in iterate_distance_blocks(x, points):
        distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = np.inf
        distance[rows], index[rows] = distances.min(1), distances.argmin(1)
    return distance, index


def _count_hits(nearest: Sequence[tuple[np.ndarray, np.ndarray]], sizes: Sequence[int]) -> list[np.ndarray]:
    """For each set of real samples, how often each sample is the nearest of all; sets at the same distance share a hit."""
    distances = np.stack([distance for distance, _ in nearest])
    is_nearest = distances == distances.min(0)
    weights = is_nearest / is_nearest.sum(0)
    return [np.bincount(index, weight, size) for (_, index), weight, size in zip(nearest, weights, sizes, strict=True)]
