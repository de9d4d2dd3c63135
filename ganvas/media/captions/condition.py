"""To be as a text says."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ...configuration import config
from .scaled_encoder import ScaledEncoder

SHOWN_CHARACTERS = 60  # of an example, in messages
LARGEST_DIFFERENCE = 0.05  # of a number of a sentence's vector, between a value and the example that it is


@config
class TextCondition:
    """A text. `examples` are captions of the data, for samples without a requested text."""

    encoder: ScaledEncoder
    examples: tuple[str, ...]
    names: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return "text"

    @property
    def size(self) -> int:
        return self.encoder.encoder.size

    def parse(self, text: str) -> Tensor:
        """A text -> its vectors, float [1 + tokens, size + 1] (text.pack_text). Raises GanvasError for an unreadable text."""
        return self.encoder.encode([text])[0]

    def parse_all(self, texts: Sequence[str]) -> Tensor:
        """Texts -> their vectors, [N, 1 + tokens, size + 1]."""
        return self.encoder.encode(texts)

    def draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        rows = torch.randint(len(self.examples), (n,), generator=generator)
        distinct_rows, places = rows.unique(return_inverse=True)
        return self.encoder.encode([self.examples[row] for row in distinct_rows.tolist()])[places]

    def find_texts(self, values: Tensor) -> list[str]:
        """The example that each value [N, …] is; "" for others."""
        sentences = self.encoder.encode(self.examples)[:, 0, :-1]
        distances = (values[:, None, 0, :-1].cpu() - sentences).abs().amax(2)
        nearest = distances.min(1)
        return [
            self.examples[row] if distance < LARGEST_DIFFERENCE else ""
            for row, distance in zip(nearest.indices.tolist(), nearest.values.tolist(), strict=True)
        ]

    def describe(self) -> str:
        example = self.examples[0] if self.examples else ""
        shown = example if len(example) <= SHOWN_CHARACTERS else f"{example[:SHOWN_CHARACTERS]} …"
        return f"a text, such as {shown!r}"
