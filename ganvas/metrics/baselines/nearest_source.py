"""A search in place of a translator: the training sample whose source is most alike."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ...configuration import config
from ...core import Batch, Spec
from ...errors import require
from .sources import SOURCE, read_translation_shapes


@config
class NearestSource:
    """The training sample x with the nearest source: by the squared error of pictures of `side` px. It needs pairs.

    Each result is a real sample, so it has the best possible realism; a translator has to be as good, and right.
    """

    side: int = 16

    def __post_init__(self) -> None:
        require(self.side >= 1, "side", self.side, "1 px or more")

    @property
    def name(self) -> str:
        return "nearest"

    def applies_to(self, spec: Spec) -> bool:
        return read_translation_shapes(spec) is not None

    def fit(self, training: Batch) -> Callable[[Batch], Tensor]:
        training_sources, x = self._shrink(training[SOURCE]), training["x"]

        def find_nearest(batch: Batch) -> Tensor:
            rows = torch.cdist(self._shrink(batch[SOURCE]), training_sources).argmin(1)
            return x[rows]

        return find_nearest

    def _shrink(self, source: Tensor) -> Tensor:
        return adaptive_avg_pool2d(source.float(), self.side).flatten(1)
