"""G of several things at once: one latent, and a head for each part. Words are drawn first, then a picture that fits them.

The picture sees its own noise and the words, and nothing else of the latent. If it saw what the words are drawn from, it would
follow that, and a class that is asked for would change nothing (docs/decisions/0018).
"""

import torch
from torch import Tensor, nn

from ...core import GeneratorNetwork
from ..compact import compute_compact_widths
from ..layers.labels import read_image_grid
from ..projected import Generator as PictureGenerator
from ..projected import Projected
from ..tables.fields import RowFields
from ..tables.rows import ResidualBlock
from .layout import KNOWN, PartLayout


class PictureReader(nn.Module):
    """A picture [N, C, H, W] -> what it shows, [N, width], by strided convolutions."""

    def __init__(self, widths: list[int], channels: int, grid: tuple[int, int], width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip([channels, *widths], widths, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * grid[0] * grid[1], width))

    def forward(self, picture: Tensor) -> Tensor:
        return self.layers(picture)


class TogetherGenerator(GeneratorNetwork):
    """z [N, z_dim] -> x [N, F]. Some numbers of z draw the values of a row; the others are noise of words and of pictures.

    known: [N, 2, F], the known parts of x and where they are known. They come out as they are.
    """

    def __init__(self, layout: PartLayout, picture: Projected, width: int) -> None:
        super().__init__()
        self.layout, self.conditions = layout, (KNOWN,) if layout.has_known else ()
        self.fields = RowFields(layout.row_spec) if layout.row else None
        draws = self.fields.draw_count if self.fields else 0
        self.z_sizes = [picture.z_dim if layout.words else 0, draws, picture.z_dim if layout.picture else 0]
        self.z_dim = sum(self.z_sizes)
        if layout.words:
            self.first = nn.Linear(picture.z_dim, width)
            self.blocks = nn.Sequential(ResidualBlock(width), ResidualBlock(width), nn.SiLU())
        self.known = nn.Linear(layout.words + layout.mark_count, width, bias=False) if layout.has_known else None
        self.row = build_row_head(self.fields, width) if self.fields else None
        self.sentence = build_sentence_head(layout, width) if layout.sentence else None
        self.reader = self.picture = None
        if layout.picture:
            channels, grid, levels = read_image_grid(layout.row_spec._replace(shape=layout.picture), "TogetherNets")
            widths = compute_compact_widths(picture.g_width, picture.cap, levels + 1)
            self.picture = PictureGenerator(picture.z_dim, widths, channels, layout.words, grid)
            if layout.has_known:
                reader_widths = compute_compact_widths(picture.d_width, picture.cap, levels)[::-1]
                self.reader = PictureReader(reader_widths, channels, grid, width)

    def forward(self, z: Tensor, known: Tensor | None = None) -> Tensor:
        noise, draws, picture_noise = z.split(self.z_sizes, 1)
        words = self.make_words(noise, draws, known)
        if self.picture is None:
            return words
        picture = self.picture(picture_noise, words.detach() if self.layout.words else None).flatten(1)
        return torch.cat([keep_known(picture.to(words.dtype), known, 0), words], 1)

    def read_known(self, known: Tensor) -> Tensor:
        """What the known parts say, [N, width]."""
        assert self.known is not None
        marks = self.layout.read_marks(known, known[:, 0])
        h = self.known(torch.cat([self.layout.cut_words(known[:, 0]), marks], 1))
        if self.reader is None:
            return h
        is_shown = known[:, 1, 0] > 0
        is_read = is_shown.clone()
        is_read[0] = True  # one at least: without a gradient, ranks would differ
        rows = is_read.nonzero()[:, 0]
        picture = self.layout.cut_picture(known[rows, 0]).contiguous(memory_format=torch.channels_last)
        return h.index_add(0, rows, (self.reader(picture) * is_shown[rows, None]).to(h.dtype))

    def start_words(self, noise: Tensor, known: Tensor | None) -> Tensor:
        """What the heads of the row and of the sentence start from, [N, width]."""
        h = self.first(noise)
        return self.blocks(h if known is None or self.known is None else h + self.read_known(known))

    def make_words(self, noise: Tensor, draws: Tensor, known: Tensor | None) -> Tensor:
        """The row and the sentence, [N, words]."""
        start, words = self.layout.picture_size, noise.new_zeros(len(noise), 0, dtype=torch.float32)
        if not self.layout.words:
            return words
        h = self.start_words(noise, known)
        if self.row is not None and self.fields is not None:
            row = self.fields.draw(self.row(h).float(), torch.special.ndtr(draws))
            words = keep_known(row, known, start)
        if self.sentence is not None:
            sentence = self.sentence(torch.cat([h, words.to(h.dtype)], 1)).float()
            words = torch.cat([words, keep_known(sentence, known, start + self.layout.row)], 1)
        return words

    def measure_scores(self, x: Tensor) -> Tensor | None:
        """The sum of all proper scores of words for real samples x [N, F], a scalar; None if there are no words to score."""
        scores = self.measure_shares(len(x)), self.measure_naming(x), self.measure_telling(x)
        means = [score.mean() for score in scores if score is not None]
        return torch.stack(means).sum() if means else None

    def measure_naming(self, x: Tensor) -> Tensor | None:
        """-log of the shares that G gives to the values of real rows if it knows only the picture, or only the sentence, of x.

        [parts·N], a mean of fields. None without either, or without values to name.
        """
        if self.row is None or self.fields is None or not self.fields.draw_count or not self.layout.has_known:
            return None
        ends = self.layout.picture_size, self.layout.picture_size + self.layout.row, x.shape[1]
        givers = [span for span in ((0, ends[0]), (ends[1], ends[2])) if span[0] < span[1]]
        if not givers:
            return None
        known = torch.cat([mark_known(x, *span) for span in givers])
        h = self.start_words(torch.randn(len(known), self.z_sizes[0], device=x.device), known)
        shares = self.fields.compute_shares(self.row(h).float())
        row = x[:, ends[0] : ends[1]].clone()
        row[:, self.fields.rank_places] = 0
        return -(row.repeat(len(givers), 1) * shares.clamp(min=1e-6).log()).sum(1) / self.fields.draw_count

    def measure_telling(self, x: Tensor) -> Tensor | None:
        """The energy score of G's sentences for real rows, or for real pictures if there are no rows, [N]. Less is better.

        With two sentences s, s' of other noise and the real one t: (|s − t| + |s' − t| − |s − s'|) / 2, over the root of the
        size. Its mean is least where they have the same distribution (Gneiting & Raftery 2007, section 4.3).
        """
        end_of_picture = self.layout.picture_size
        span = (end_of_picture, end_of_picture + self.layout.row) if self.layout.row else (0, end_of_picture)
        if self.sentence is None or not self.layout.has_known or span[0] == span[1]:
            return None
        known = mark_known(x, *span)
        if self.layout.row:
            known[::2] = 0  # a sentence follows its row, also where that was drawn and not given
        known = known.repeat(2, 1, 1)
        h = self.start_words(torch.randn(len(known), self.z_sizes[0], device=x.device), known)
        row = self.layout.cut_words(x)[:, : self.layout.row].repeat(2, 1)
        one, other = self.sentence(torch.cat([h, row.to(h.dtype)], 1)).float().chunk(2)
        real = x[:, x.shape[1] - self.layout.sentence :]
        distances = [torch.linalg.vector_norm(a - b, dim=1) for a, b in ((one, real), (other, real), (one, other))]
        return (distances[0] + distances[1] - distances[2]) / 2 / self.layout.sentence**0.5

    def measure_shares(self, n: int) -> Tensor | None:
        """KL(the data's shares of values ‖ G's mean shares in `n` rows of which nothing is known), a mean of fields; a scalar.

        None without values to draw.
        """
        if self.row is None or self.fields is None or not self.fields.draw_count:
            return None
        noise = torch.randn(n, self.z_sizes[0], device=self.row.weight.device)
        shares = self.fields.compute_shares(self.row(self.start_words(noise, None)).float()).mean(0)
        target = self.fields.data_shares
        divergence = torch.xlogy(target, target) - target * shares.clamp(min=1e-6).log()
        return divergence.sum() / self.fields.draw_count


def mark_known(x: Tensor, start: int, end: int) -> Tensor:
    """The condition [N, 2, F] that gives the numbers of x [N, F] from `start` to `end`."""
    marks = torch.zeros_like(x)
    marks[:, start:end] = 1
    return torch.stack([x * marks, marks], 1)


def keep_known(part: Tensor, known: Tensor | None, start: int) -> Tensor:
    """A part of x that begins at `start`, [N, size], with what is known in its place."""
    if known is None:
        return part
    values, marks = known[:, :, start : start + part.shape[1]].unbind(1)
    return torch.where(marks > 0, values.to(part.dtype), part)


def build_row_head(fields: RowFields, width: int) -> nn.Linear:
    """A layer whose first rows have the data's shares."""
    head = nn.Linear(width, fields.width)
    nn.init.zeros_(head.weight)
    with torch.no_grad():
        head.bias.copy_(fields.first_biases)
    return head


def build_sentence_head(layout: PartLayout, width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width + layout.row, width), nn.SiLU(), nn.Linear(width, layout.sentence))
