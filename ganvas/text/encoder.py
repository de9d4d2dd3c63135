"""What turns texts into vectors."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from .vectors import TextVectors


@runtime_checkable
class TextEncoder(Protocol):
    """A frozen network, or any function, that turns texts into vectors. Frozen settings (@config)."""

    @property
    def size(self) -> int: ...  # D, the numbers of a vector
    @property
    def max_tokens(self) -> int: ...  # L of what it returns is at most this
    def encode(self, texts: Sequence[str]) -> TextVectors:
        """Texts -> fp32 vectors on the CPU; L is that of the longest text. The same text always gives the same vectors.

        Raises:
            GanvasError: an empty text, or one that is too long for it.
        """
        ...
