"""Counts of letters in a row, for scores that compare short texts."""

import numpy as np
from torch import Tensor

from ..configuration import config
from ..core import Features
from ..errors import GanvasError

START, SYMBOLS = 256, 257  # a mark before the first letter; codes are below it
MULTIPLIER, HASH_BITS = np.uint64(0x9E3779B97F4A7C15), 64  # Fibonacci hashing (Knuth, volume 3, section 6.4)
SCALE = 3.5  # a word of nine letters then has about the squared length D, for which KID's kernel is made


@config
class NGrams:
    """How often one to four letters in a row occur, with marks at both ends: [N, T] -> float64 [N, 2^bits].

    Each row of letters falls into one of the numbers by its hash, so some share one.
    """

    bits: int = 9
    most: int = 4  # letters in a row

    @property
    def word(self) -> str:
        return "ngrams"

    @property
    def media(self) -> tuple[str, ...]:
        return ("letters",)

    @property
    def name(self) -> str:
        return "ngrams" if (self.bits, self.most) == (9, 4) else f"ngrams of {self.most} in {2**self.bits}"

    def __call__(self, stored: Tensor) -> Features:
        """Raises GanvasError for samples that are no codes [N, T], where 0 is the end."""
        if stored.ndim != 2:
            raise GanvasError(f"ngrams: samples must be codes of letters [N, T], got {list(stored.shape)}: score texts")
        codes = stored.cpu().numpy().astype(np.uint64)
        count, bins = len(codes), 2**self.bits
        marks = np.full((count, 1), START, np.uint64), np.zeros((count, 1), np.uint64)
        codes = np.concatenate([marks[0], codes, marks[1]], 1)
        lengths = (codes == 0).argmax(1) + 1  # with both marks
        features, rows = np.zeros(count * bins), np.arange(count)[:, None] * bins
        for n in range(1, self.most + 1):
            numbers = np.full((count, codes.shape[1] - n + 1), n, np.uint64)
            for k in range(n):
                numbers = numbers * np.uint64(SYMBOLS) + codes[:, k : codes.shape[1] - n + 1 + k]
            hashes = (numbers * MULTIPLIER) >> np.uint64(HASH_BITS - self.bits)
            counts = np.arange(n - 1, codes.shape[1]) < lengths[:, None]
            features += np.bincount((rows + hashes.astype(np.int64))[counts], minlength=count * bins)
        return Features(SCALE * features.reshape(count, bins))
