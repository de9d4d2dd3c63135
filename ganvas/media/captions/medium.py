"""Captions of pictures."""

from collections.abc import Sequence

from ...configuration import config
from ...core import Items
from ...errors import require
from ...text import MiniLM, TextEncoder
from .codec import CaptionCodec, read_captions
from .scaled_encoder import fit_scaled_encoder

FITTED_SAMPLES = 2_000  # whose captions decide on means, and on how many words are kept
TEXT_STEP = 64  # bytes of a text are a multiple of this


@config
class Captions:
    """Texts that belong to pictures. A frozen encoder turns them into vectors, once.

    encoder: MiniLM reads English. Yours is any @config class with `size`, `max_tokens` and `encode(texts)`.
    per_sample: at most so many captions of a picture are used; each time that it is seen, one of them.
    """

    encoder: TextEncoder = MiniLM()
    per_sample: int = 16

    def __post_init__(self) -> None:
        require(1 <= self.per_sample <= 64, "per_sample", self.per_sample, "from 1 to 64")

    @property
    def suffixes(self) -> tuple[str, ...]:
        return (".txt",)

    def fit(self, items: Items) -> CaptionCodec:
        return self.fit_with_reasons(items)[0]

    def fit_with_reasons(self, items: Items) -> tuple[CaptionCodec, list[str]]:
        """`fit`, and a sentence on what reads the captions."""
        samples = [read_captions(items[index]) for index in choose_fitted(len(items))]
        texts = list(dict.fromkeys(text for captions in samples for text in captions))
        longest = max(len(text.encode("utf-8", "replace")) for text in texts)
        encoder = fit_scaled_encoder(self.encoder, texts)
        codec = CaptionCodec(
            encoder=encoder,
            captions=tuple(texts),
            per_sample=min(self.per_sample, max(map(len, samples))),
            text_bytes=-(-longest // TEXT_STEP) * TEXT_STEP,
        )
        name = type(self.encoder).__name__
        return codec, [
            f"captions are read by {name}: {encoder.encoder.size} numbers a sentence, {encoder.tokens} words at most"
        ]


def choose_fitted(count: int) -> Sequence[int]:
    """Evenly spaced samples to fit to."""
    return range(0, count, max(1, -(-count // FITTED_SAMPLES)))
