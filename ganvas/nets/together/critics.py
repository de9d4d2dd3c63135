"""Critics of several things at once: of the picture and its fit to the words, on pixels and on features, and of the words."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ...core import CriticOutput
from ..compact import Discriminator as PictureCritic
from ..projected import FeatureCritic
from .layout import WORD_SCALE, PartLayout


def see_words(layout: PartLayout, x: Tensor, words: Tensor, known: Tensor | None) -> Tensor:
    """Words and marks [N, words + marks]. Words get a gradient only where the picture is known, and they have to fit it.

    Elsewhere the picture has to fit the words. Otherwise words that are easy to draw would crowd out the others.
    """
    words = snap_values(layout, words)
    marks = layout.read_marks(known, x)
    is_shown = marks[:, :1] > 0 if layout.has_known else torch.zeros_like(words[:, :1], dtype=torch.bool)
    return torch.cat([torch.where(is_shown, words, words.detach()), marks], 1)


def snap_values(layout: PartLayout, words: Tensor) -> Tensor:
    """Words [N, words] whose one-hots are exact again, with the gradient of what they were.

    Penalties by finite differences add noise to x. On one-hots they would forbid a critic to tell two values apart.
    """
    exact = words.detach().clone()
    for size in {field.size for field in layout.row_fields if field.kind == "categorical"}:
        places = torch.tensor(layout.list_starts(size), device=words.device)[:, None] + torch.arange(size, device=words.device)
        exact[:, places] = one_hot(exact[:, places].argmax(2), size).to(words.dtype)
    return words + (exact - words).detach()


class FitCritic(nn.Module):
    """x [N, F] -> how real the picture is, plus how well it fits the words: a projection (Miyato & Koyama 2018, eq. 3)."""

    def __init__(self, layout: PartLayout, widths: list[int], grid: tuple[int, int]) -> None:
        super().__init__()
        self.layout = layout
        self.net = PictureCritic(widths, layout.picture[0], layout.words + layout.mark_count, grid)

    def forward(self, x: Tensor, known: Tensor | None = None) -> CriticOutput:
        picture = self.layout.cut_picture(x).contiguous(memory_format=torch.channels_last)
        words = see_words(self.layout, x, self.layout.cut_words(x), known)
        return self.net(picture, words if words.shape[1] else None)


class FeatureFitCritic(nn.Module):
    """Features of the picture and scaled words side by side, [N, F'] -> CriticOutput, a logit for each size of features."""

    def __init__(self, layout: PartLayout, shapes: Sequence[tuple[int, int, int]], width: int) -> None:
        super().__init__()
        self.layout = layout
        self.net = FeatureCritic(shapes, width, layout.words + layout.mark_count)

    def forward(self, x: Tensor, known: Tensor | None = None) -> CriticOutput:
        features, words = x.split([x.shape[1] - self.layout.words, self.layout.words], 1)
        words = see_words(self.layout, x, words / WORD_SCALE, known)
        return self.net(features, words if words.shape[1] else None)


class WordsCritic(nn.Module):
    """x [N, F] -> how real the row and the sentence are without the picture."""

    def __init__(self, layout: PartLayout, width: int) -> None:
        super().__init__()
        self.layout = layout
        self.layers = nn.Sequential(
            nn.Linear(layout.words + layout.mark_count, width),
            nn.LeakyReLU(0.2),
            nn.Linear(width, width),
            nn.LeakyReLU(0.2),
        )
        self.last = nn.Linear(width, 1)

    def forward(self, x: Tensor, known: Tensor | None = None) -> CriticOutput:
        h = self.layers(torch.cat([self.layout.cut_words(x), self.layout.read_marks(known, x)], 1))
        return CriticOutput(self.last(h).squeeze(1), h)
