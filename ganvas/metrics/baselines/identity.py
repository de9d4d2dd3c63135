"""The source itself as its translation."""

from collections.abc import Callable

from torch import Tensor

from ...configuration import config
from ...core import Batch, Spec
from .sources import SOURCE, adapt_source, read_translation_shapes


@config
class Identity:
    """The source, with the channels and the size that are asked for: a translator that does nothing."""

    @property
    def name(self) -> str:
        return "identity"

    def applies_to(self, spec: Spec) -> bool:
        return read_translation_shapes(spec) is not None

    def fit(self, training: Batch) -> Callable[[Batch], Tensor]:
        example = training["x"][:1]
        return lambda batch: adapt_source(batch[SOURCE], example)
