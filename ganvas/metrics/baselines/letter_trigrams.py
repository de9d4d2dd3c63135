"""Texts of a model that looks two letters back. Shannon 1948, section 3."""

import torch
from torch import Tensor

from ...configuration import config
from ...core import Codec, Dataset

MAX_VALUES = 128  # letters and the end: the model counts their cubes


@config
class LetterTrigrams:
    """Each letter by its share among training texts after the same two letters, or after the start."""

    @property
    def name(self) -> str:
        return "trigrams"

    def applies_to(self, codec: Codec) -> bool:
        return codec.medium == "letters" and codec.spec.shape[1] <= MAX_VALUES

    def draw(self, training: Dataset, n: int, generator: torch.Generator) -> Tensor:
        codes = training.columns["x"][:].cpu().long()
        cumulative = count_trigrams(codes, training.codec.spec.shape[1]).cumsum(2)
        start = cumulative.shape[0] - 1
        drawn = torch.zeros(n, codes.shape[1], dtype=torch.long)
        before, last = torch.full((2, n), start)
        for t in range(codes.shape[1]):
            shares = cumulative[before, last] / cumulative[before, last][:, -1:].clamp(min=1)
            chosen = (shares <= torch.rand(n, 1, generator=generator)).sum(1) % shares.shape[1]  # of nothing: the end
            drawn[:, t] = torch.where(last == 0, 0, chosen)
            before, last = last, drawn[:, t]
        return drawn.to(torch.uint8)


def count_trigrams(codes: Tensor, values: int) -> Tensor:
    """How often each value follows two others in codes [N, T]: [V + 1, V + 1, V]; the last value stands for the start."""
    start = torch.full((len(codes), 2), values)
    after = torch.cat([start, codes, codes.new_zeros(len(codes), 1)], 1)
    first, second, third = after[:, :-2], after[:, 1:-1], after[:, 2:]
    counts = torch.bincount(
        ((first * (values + 1) + second) * values + third)[second != 0], minlength=(values + 1) ** 2 * values
    )
    return counts.view(values + 1, values + 1, values).float()
