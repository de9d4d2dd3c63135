"""Texts of the right letters and lengths, in no order."""

import torch
from torch import Tensor

from ...configuration import config
from ...core import Codec, Dataset


@config
class ShuffledLetters:
    """The letters of a random training text in random order."""

    @property
    def name(self) -> str:
        return "shuffled letters"

    def applies_to(self, codec: Codec) -> bool:
        return codec.medium == "letters"

    def draw(self, training: Dataset, n: int, generator: torch.Generator) -> Tensor:
        stored = training.columns["x"]
        codes = stored[torch.randint(len(stored), (n,), generator=generator).to(stored.device)].cpu()
        keys = torch.where(codes > 0, torch.rand(codes.shape, generator=generator), 2.0)  # ends stay at the end
        return codes.gather(1, keys.argsort(1))
