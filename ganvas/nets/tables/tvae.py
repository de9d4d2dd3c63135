"""TVAE's networks: an encoder and a decoder that says how likely a row is. Xu et al. 2019, section 4.5."""

from dataclasses import replace
from math import log, pi, prod

import torch
from torch import Tensor, nn

from ...configuration import config
from ...core import GeneratorNetwork, Spec
from ..layers.labels import check_widths
from .field_sizes import FieldSizes, choose_categories, read_field_sizes

FIRST_SIGMA = 0.1
LEAST_SIGMA = 0.01  # or the likelihood of an alpha that is always the same would grow without bounds


class RowEncoder(nn.Module):
    """x [N, *shape] -> mean and log variance of its code, [N, code + choices] each. The last `choices` are those of the prior.

    Parameters with W numbers in x: (W + 1)·128 + 129·128 + 129·256.
    """

    def __init__(self, inputs: int, width: int, code: int, choices: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.last, self.choices = nn.Linear(width, 2 * code), choices

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.last(self.layers(x.flatten(1))).float().chunk(2, 1)
        prior = mean.new_zeros(len(mean), self.choices)
        return torch.cat([mean, prior], 1), torch.cat([log_variance, prior], 1)


class RowDecoder(GeneratorNetwork):
    """z [N, z_dim] -> x [N, *shape]: numbers from N(tanh, σ²), σ learnt for each; one-hots drawn from their softmax.

    The last numbers of z, one for each one-hot and each number, decide what is drawn: a row follows from its latent alone.

    Parameters with W numbers in x, A of them in no one-hot: 2·129·128 + 129·W + A.
    """

    def __init__(self, code: int, width: int, fields: FieldSizes, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.code, self.fields, self.shape = code, fields, shape
        self.z_dim = code + fields.category_count + fields.number_count
        self.layers = nn.Sequential(nn.Linear(code, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.heads = nn.Linear(width, fields.width)
        self.log_sigma = nn.Parameter(torch.full((fields.number_count,), log(FIRST_SIGMA - LEAST_SIGMA)))

    @property
    def sigma(self) -> Tensor:
        """The standard deviation of each number: [A]."""
        return LEAST_SIGMA + self.log_sigma.float().exp()

    def forward(self, z: Tensor) -> Tensor:
        choices, normal = z[:, self.code :].split([self.fields.category_count, self.fields.number_count], 1)
        numbers, start, parts = iter(choices.unbind(1)), 0, list[Tensor]()
        moves = self.sigma * normal
        for h, is_category in self.fields.split(self.compute_heads(z)):
            if is_category:
                parts.append(choose_categories(h, next(numbers)))
            else:
                parts.append((h.tanh() + moves[:, start : start + h.shape[1]]).clamp(-1, 1))
                start += h.shape[1]
        return torch.cat(parts, 1).view(len(z), *self.shape)

    def measure_nll(self, z: Tensor, x: Tensor) -> Tensor:
        """-log p(x | z), [N], in nats: of one-hots their cross-entropy, of numbers that of N(tanh, σ²)."""
        parts, values = self.fields.split(self.compute_heads(z)), self.fields.split(x.flatten(1).float())
        nll, offsets = x.new_zeros(len(x), dtype=torch.float32), list[Tensor]()
        for (h, is_category), (value, _) in zip(parts, values, strict=True):
            if is_category:
                nll = nll - (value * h.log_softmax(1)).sum(1)
            else:
                offsets.append(value - h.tanh())
        if offsets:
            nll = nll + (0.5 * (torch.cat(offsets, 1) / self.sigma).square() + self.sigma.log() + 0.5 * log(2 * pi)).sum(1)
        return nll

    def compute_heads(self, z: Tensor) -> Tensor:
        """The last layer's outputs, [N, W]."""
        return self.heads(self.layers(z[:, : self.code])).float()


@config
class TVAE:
    """An encoder E and a decoder G of two hidden layers each; for any spec of one-hots and numbers.

    z_dim: numbers of the code; z has one more for each one-hot and each number, see RowDecoder.
    """

    z_dim: int = 128
    width: int = 128

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, width=self.width)

    def build(self, spec: Spec) -> nn.ModuleDict:
        fields = read_field_sizes(spec)
        G = RowDecoder(self.z_dim, self.width, fields, spec.shape)
        return nn.ModuleDict({"E": RowEncoder(prod(spec.shape), self.width, self.z_dim, G.z_dim - self.z_dim), "G": G})

    def smallest(self) -> "TVAE":
        return replace(self, z_dim=2, width=4)
