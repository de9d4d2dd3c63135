"""CTGAN's networks: residual layers that concatenate, and a critic of packs of rows. Xu et al. 2019, section 4.4."""

from dataclasses import replace
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ...configuration import config
from ...core import CriticOutput, GeneratorNetwork, Spec
from ...errors import require
from ..layers.labels import check_widths
from .field_sizes import FieldSizes, choose_categories, read_field_sizes

CATEGORY = "category"  # the condition: the place in x that G has to set to 1
LAYERS = 2


def encode_categories(category: Tensor, count: int, like: Tensor) -> Tensor:
    """The conditional vector [N, count] of places int64 [N], in the precision of another tensor."""
    return one_hot(category.to(torch.int64), count).to(like.dtype)


class ConcatenatingLayer(nn.Module):
    """h -> h ⊕ ReLU(BN(FC(h))): [N, inputs] -> [N, inputs + outputs]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear, self.norm = nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs)

    def forward(self, h: Tensor) -> Tensor:
        return torch.cat([h, self.norm(self.linear(h)).relu().to(h.dtype)], 1)


class CTGANGenerator(GeneratorNetwork):
    """z [N, z_dim], category int64 [N] -> x [N, *shape]: tanh of numbers, the Gumbel softmax of categories.

    In evaluation mode categories are drawn from the softmax, without Gumbel noise. The last numbers of z, one for each
    one-hot, choose them: so a row follows from its latent alone, and not from the rows beside it.

    Parameters with C categories of the condition, h = z + C numbers, W numbers in x:
    (h + 1)·256 + 512 + (h + 257)·256 + 512 + (h + 513)·W.
    """

    def __init__(
        self, noise: int, width: int, fields: FieldSizes, categories: int, shape: tuple[int, ...], temperature: float
    ) -> None:
        super().__init__()
        self.noise, self.fields, self.categories, self.shape, self.temperature = noise, fields, categories, shape, temperature
        self.z_dim = noise + fields.category_count
        self.conditions = (CATEGORY,) if categories else ()
        inputs = [noise + categories + k * width for k in range(LAYERS + 1)]
        self.layers = nn.Sequential(*(ConcatenatingLayer(n, width) for n in inputs[:-1]))
        self.heads = nn.Linear(inputs[-1], fields.width)

    def forward(self, z: Tensor, category: Tensor | None = None) -> Tensor:
        noise, choice = z[:, : self.noise], z[:, self.noise :]
        vector = [] if category is None else [encode_categories(category, self.categories, z)]
        logits = self.heads(self.layers(torch.cat([noise, *vector], 1))).float()
        activate = self.draw_softly if self.training else self.draw_rows
        return activate(logits, choice).view(len(z), *self.shape)

    def draw_softly(self, logits: Tensor, choice: Tensor) -> Tensor:
        """tanh and Gumbel softmax of [N, W]. Jang et al. 2017, eq. 2."""
        uniform = torch.rand_like(logits).clamp_(1e-20, 1 - 2**-24)
        noise = -uniform.log().neg().log()  # of Gumbel's distribution
        soft_logits = ((logits + noise) / self.temperature).split(self.fields.sizes, 1)
        parts = zip(self.fields.split(logits), soft_logits, strict=True)
        return torch.cat([soft.softmax(1) if is_category else h.tanh() for (h, is_category), soft in parts], 1)

    def draw_rows(self, logits: Tensor, choice: Tensor) -> Tensor:
        """tanh, and one-hots that choice [N, categories] decides."""
        numbers = iter(choice.unbind(1))
        parts = self.fields.split(logits)
        return torch.cat([choose_categories(h, next(numbers)) if is_category else h.tanh() for h, is_category in parts], 1)


class PackCritic(nn.Module):
    """Packs of rows x [N, *shape] under their categories int64 [N] -> logits [N / pack], rounded up (Lin et al. 2018, PacGAN).

    Parameters with W numbers in x, C categories of the condition, packs of P: (P·(W + C) + 1)·256 + 257·256 + 257.
    """

    def __init__(self, inputs: int, categories: int, width: int, pack: int, dropout: float) -> None:
        super().__init__()
        self.categories, self.pack = categories, pack
        widths = (pack * (inputs + categories), *[width] * LAYERS)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.LeakyReLU(0.2), nn.Dropout(dropout)]
        self.layers, self.last = nn.Sequential(*layers), nn.Linear(width, 1)

    def forward(self, x: Tensor, category: Tensor | None = None) -> CriticOutput:
        """Where rows do not fill the last pack, the first rows do."""
        rows, count = x.flatten(1), -(-len(x) // self.pack)
        if category is not None:
            rows = torch.cat([rows, encode_categories(category, self.categories, rows)], 1)
        if len(x) != count * self.pack:
            rows = rows[torch.arange(count * self.pack, device=x.device) % len(x)]
        h = self.layers(rows.reshape(count, -1))
        return CriticOutput(self.last(h).squeeze(1), h)


@config
class CTGAN:
    """G of two layers that concatenate, D of two on packs of rows; for any spec of one-hots and numbers.

    z_dim: numbers of noise; z has one more for each one-hot, see CTGANGenerator.
    pack: rows that D judges together.
    temperature: of the Gumbel softmax.
    dropout: share of D's hidden units that are dropped.
    """

    z_dim: int = 128
    width: int = 256
    pack: int = 10
    temperature: float = 0.2
    dropout: float = 0.5

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, width=self.width)
        require(1 <= self.pack <= 1000, "pack", self.pack, "from 1 to 1000")
        require(0.01 <= self.temperature <= 10, "temperature", self.temperature, "from 0.01 to 10")
        require(0 <= self.dropout < 1, "dropout", self.dropout, "in [0, 1)")

    def build(self, spec: Spec) -> nn.ModuleDict:
        fields = read_field_sizes(spec)
        categories = spec.conditions[CATEGORY].size if CATEGORY in spec.conditions else 0
        G = CTGANGenerator(self.z_dim, self.width, fields, categories, spec.shape, self.temperature)
        return nn.ModuleDict({"G": G, "D": PackCritic(prod(spec.shape), categories, self.width, self.pack, self.dropout)})

    def smallest(self) -> "CTGAN":
        return replace(self, z_dim=2, width=4, pack=1)
