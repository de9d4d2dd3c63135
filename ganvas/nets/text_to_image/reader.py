"""How networks read a text."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...text import unpack_text
from ..layers.attending import attend

LEAST_WEIGHT = 1e-6  # of a word that is not there


class TextReader(nn.Module):
    """Text [N, 1 + L, size + 1] -> [N, width]: what the sentence says, and the answers that questions find among its words.

    A sentence's vector says well what a text is about, and badly what belongs to what. Each question is learnt: it weighs the
    words by a softmax and takes the mean of their values, as one head of attention does (Vaswani et al. 2017).
    """

    def __init__(self, size: int, sentence: int = 64, questions: int = 8, answer: int = 16) -> None:
        super().__init__()
        self.width, self.questions = sentence + questions * answer, questions
        self.sentence = nn.Linear(size, sentence)
        self.keys, self.values = nn.Linear(size, questions), nn.Linear(size, questions * answer)

    def forward(self, text: Tensor) -> Tensor:
        vectors = unpack_text(text)
        scores = self.keys(vectors.words).float() + weigh_words(vectors.mask)[..., None]
        values = self.values(vectors.words).unflatten(2, (self.questions, -1))
        answers = torch.einsum("nlq,nlqa->nqa", scores.softmax(1).to(values.dtype), values).flatten(1)
        return F.leaky_relu(torch.cat([self.sentence(vectors.sentence), answers], 1), 0.2)


class WordAttention(nn.Module):
    """Each place of features [N, C, H, W] looks at the words of the text. It starts at 0, so that it first changes nothing."""

    def __init__(self, channels: int, size: int, heads: int = 4, width: int = 16) -> None:
        super().__init__()
        self.heads = heads
        self.queries, self.pairs = nn.Conv2d(channels, heads * width, 1), nn.Linear(size, 2 * heads * width)
        self.last = nn.Conv2d(heads * width, channels, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, text: Tensor) -> Tensor:
        vectors = unpack_text(text)
        queries = self.queries(x).flatten(2).unflatten(1, (self.heads, -1)).transpose(2, 3)  # [N, heads, places, width]
        keys, values = self.pairs(vectors.words).unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        answers = attend(queries, keys, values, weigh_words(vectors.mask)[:, None, None])
        return x + self.last(answers.transpose(2, 3).flatten(1, 2).unflatten(2, x.shape[2:]))


def weigh_words(mask: Tensor) -> Tensor:
    """What is added to the scores of words [N, L] before a softmax: the logarithm of their weights."""
    return mask.float().clamp_min(LEAST_WEIGHT).log()
