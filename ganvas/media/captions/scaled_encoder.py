"""Vectors of texts, centred and scaled: those of one data set lie so close together that a layer would see a constant."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ...configuration import config
from ...text import TextEncoder, TextVectors, encode_cached, pack_text

LEAST_DEVIATION = 1e-3  # of vectors that hardly differ


@config
class ScaledEncoder:
    """An encoder with the means and deviations of the captions of a data set.

    tokens: so many words of a text are kept. The sentence's vector is of the whole text.
    """

    encoder: TextEncoder
    tokens: int
    sentence_mean: tuple[float, ...]
    sentence_deviation: float
    word_mean: tuple[float, ...]
    word_deviation: float

    @property
    def shape(self) -> tuple[int, int]:
        """Of a packed text: 1 + tokens, size + 1."""
        return 1 + self.tokens, self.encoder.size + 1

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Texts -> float [N, 1 + tokens, size + 1], centred and scaled (text.pack_text)."""
        return self.scale(self.encode_raw(texts))

    def encode_raw(self, texts: Sequence[str]) -> Tensor:
        """Texts -> [N, 1 + tokens, size + 1] as the encoder gives them."""
        packed = pack_text(encode_cached(self.encoder, texts))
        missing = 1 + self.tokens - packed.shape[1]
        return torch.nn.functional.pad(packed, (0, 0, 0, missing)) if missing > 0 else packed[:, : 1 + self.tokens]

    def scale(self, raw: Tensor) -> Tensor:
        """Centre and scale vectors [N, 1 + tokens, size + 1]. Rows without a token stay 0."""
        mean = torch.tensor([self.sentence_mean, *[self.word_mean] * self.tokens])
        deviation = torch.tensor([self.sentence_deviation, *[self.word_deviation] * self.tokens])
        is_there = raw[..., -1:]
        return torch.cat([is_there * (raw[..., :-1] - mean) / deviation[:, None], is_there], -1)

    def unscale(self, scaled: Tensor) -> Tensor:
        """What `scale` had."""
        mean = torch.tensor([self.sentence_mean, *[self.word_mean] * self.tokens])
        deviation = torch.tensor([self.sentence_deviation, *[self.word_deviation] * self.tokens])
        is_there = scaled[..., -1:]
        return torch.cat([is_there * (scaled[..., :-1] * deviation[:, None] + mean), is_there], -1)


def fit_scaled_encoder(encoder: TextEncoder, texts: Sequence[str]) -> ScaledEncoder:
    """The encoder scaled for texts like these; it keeps as many words as the longest of them has."""
    vectors: TextVectors = encode_cached(encoder, texts)
    words = vectors.words[vectors.mask > 0]
    return ScaledEncoder(
        encoder=encoder,
        tokens=int(vectors.mask.sum(1).max()),
        sentence_mean=_round_numbers(vectors.sentence.mean(0)),
        sentence_deviation=_measure_deviation(vectors.sentence),
        word_mean=_round_numbers(words.mean(0)),
        word_deviation=_measure_deviation(words),
    )


def _round_numbers(values: Tensor) -> tuple[float, ...]:
    return tuple(round(value, 6) for value in values.tolist())


def _measure_deviation(values: Tensor) -> float:
    """The root of the mean square distance from the mean, a number."""
    return max(LEAST_DEVIATION, float((values - values.mean(0)).square().mean().sqrt()))
