"""Texts as networks see them: a vector for the whole text, and one for each of its tokens."""

from typing import NamedTuple

import torch
from torch import Tensor


class TextVectors(NamedTuple):
    """Encoded texts."""

    sentence: Tensor  # [N, D]
    words: Tensor  # [N, L, D], a vector for each token; those beyond a text's end are 0
    mask: Tensor  # [N, L], 1 where there is a token, else 0; a mixture of texts has weights between


def pack_text(vectors: TextVectors) -> Tensor:
    """One tensor [N, 1 + L, D + 1]: the sentence, then the words. The last number of a row is 1 where there is a token."""
    words = torch.cat([vectors.words, vectors.mask[..., None].to(vectors.words.dtype)], 2)
    sentence = torch.cat([vectors.sentence, torch.ones_like(vectors.sentence[:, :1])], 1)
    return torch.cat([sentence[:, None].to(words.dtype), words], 1)


def unpack_text(text: Tensor) -> TextVectors:
    """What `pack_text` packed, as views."""
    return TextVectors(text[:, 0, :-1], text[:, 1:, :-1], text[:, 1:, -1])
