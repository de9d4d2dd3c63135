"""DoppelGANger's networks: statics, then ranges of columns, then an LSTM that makes several steps at a time.

Lin et al. 2020, section 4, with the sizes and layers of the authors' code.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

import torch
from torch import Tensor, nn

from ...configuration import config
from ...core import CriticOutput, GeneratorNetwork, Spec
from ...errors import GanvasError, require
from ..layers.labels import check_widths
from .field_parts import FieldParts, split_fields

NORM_MOMENTUM = 0.1  # TensorFlow's decay of 0.9


class StaticLayers(nn.Module):
    """Noise and earlier statics [N, inputs] -> logits of a part [N, W]. Batch norm comes after ReLU, as in the code.

    Parameters with h units: (inputs + 1)·h + (h + 1)·h + 4h + (h + 1)·W.
    """

    def __init__(self, inputs: int, width: int, outputs: int) -> None:
        super().__init__()
        layers = list[nn.Module]()
        for before, after in pairwise((inputs, width, width)):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.BatchNorm1d(after, 1e-5, NORM_MOMENTUM)]
        self.layers = nn.Sequential(*layers, nn.Linear(width, outputs))

    def forward(self, h: Tensor) -> Tensor:
        return self.layers(h)


class DoppelGANgerGenerator(GeneratorNetwork):
    """z [N, z_dim] -> x [N, T, W].

    z holds noise for each part of the statics, then for each pass of the LSTM, then the LSTM's first state.
    Ranges see the other statics, and the LSTM sees both.

    Parameters of the LSTM with h units on n numbers, S steps at a time: 4h·(n + h + 2) + (h + 1)·S·W.
    """

    is_static: Tensor
    over: Tensor
    order: Tensor

    def __init__(self, spec: Spec, noise: int, width: int, static_width: int, passes: int) -> None:
        super().__init__()
        parts = split_fields(spec)
        self.steps, self.noise, self.step_part = spec.shape[0], noise, parts.steps
        self.batch = -(-self.steps // passes)  # S, steps that a pass makes
        self.passes = -(-self.steps // self.batch)
        self.static_parts = [part for part in (parts.statics, parts.ranges) if part.places]
        inputs = list(accumulate((len(part.places) for part in self.static_parts), initial=noise))
        self.statics = nn.ModuleList(
            StaticLayers(n, static_width, len(p.places)) for n, p in zip(inputs, self.static_parts, strict=False)
        )
        self.lstm = nn.LSTM(inputs[-1], width, batch_first=True)
        self.head = nn.Linear(width, self.batch * len(parts.steps.places))
        self.z_sizes = (noise * len(self.static_parts), noise * self.passes, width, width)
        self.z_dim = sum(self.z_sizes)
        self.end_place = parts.end_place
        self._register_places(parts)

    def _register_places(self, parts: FieldParts) -> None:
        """Where the parts lie in x, and what is there once a series is over."""
        places = [*parts.statics.places, *parts.ranges.places, *parts.steps.places]
        self.register_buffer("order", torch.argsort(torch.tensor(places)), persistent=False)
        is_static, over = torch.ones(len(places), dtype=torch.bool), torch.zeros(len(places))
        is_static[parts.steps.places] = False
        if parts.end_place is not None:
            over[parts.end_place + 1] = 1.0
        self.register_buffer("is_static", is_static, persistent=False)
        self.register_buffer("over", over, persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        of_statics, of_passes, h, c = z.split(self.z_sizes, 1)
        soft, known = self.make_statics(of_statics.split(self.noise, 1))
        inputs = [of_passes.unflatten(1, (self.passes, -1)), _repeat(known, self.passes)]
        outputs = self.lstm(torch.cat(inputs, 2), (h[None].contiguous(), c[None].contiguous()))[0]  # [N, passes, width]
        steps = self.head(outputs).float().unflatten(2, (self.batch, -1)).flatten(1, 2)[:, : self.steps]
        steps = self.step_part.activate(steps.flatten(0, 1)).unflatten(0, steps.shape[:2])
        x = torch.cat([_repeat(soft, self.steps), steps], 2)[..., self.order]
        return x if self.end_place is None else self.close_ends(x, self.end_place)

    def make_statics(self, noises: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """(all statics, the same with one-hots in place of shares and without gradients): [N, W] each."""
        soft, known = list[Tensor](), list[Tensor]()
        for noise, layers, part in zip(noises, self.statics, self.static_parts, strict=True):
            soft.append(part.activate(layers(torch.cat([noise, *known], 1)).float()))
            known.append(part.harden(soft[-1]))
        return torch.cat(soft, 1), torch.cat(known, 1)

    def close_ends(self, x: Tensor, place: int) -> Tensor:
        """x with 0 in steps after the first whose flag says "over", but for statics. The flag stays, and the first step."""
        says_alive = x[:, 1:, place] >= x[:, 1:, place + 1]
        is_alive = torch.cat([torch.ones_like(says_alive[:, :1]), says_alive.cumprod(1).bool()], 1)[..., None]
        return torch.where(is_alive, x, x * self.is_static + self.over)


def _repeat(statics: Tensor, steps: int) -> Tensor:
    """[N, W] -> [N, steps, W]"""
    return statics[:, None].expand(-1, steps, -1)


class FieldCritic(nn.Module):
    """x [N, T, W] -> CriticOutput: a perceptron sees statics once, and some other fields at all steps.

    Parameters with n numbers seen, h units and five layers: (n + 1)·h + 3·(h + 1)·h + h + 1.
    """

    def __init__(self, steps: int, static_places: list[int], step_places: list[int], width: int, layers: int) -> None:
        super().__init__()
        self.static_places, self.step_places = static_places, step_places
        widths = (len(static_places) + steps * len(step_places), *[width] * (layers - 1))
        self.layers = nn.Sequential(*(m for pair in pairwise(widths) for m in (nn.Linear(*pair), nn.ReLU())))
        self.last = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> CriticOutput:
        h = self.layers(torch.cat([x[:, 0, self.static_places], x[..., self.step_places].flatten(1)], 1))
        return CriticOutput(self.last(h).squeeze(1), h)


@config
class DoppelGANger:
    """G of perceptrons for statics and an LSTM for steps; D of everything, and D_statics of statics and ranges alone.

    noise: numbers for each part of the statics, and for each pass of the LSTM.
    width, static_width: units of the LSTM, and of each layer that makes statics.
    passes: of the LSTM at most. In longer windows each pass makes S steps (section 4.1).
    d_width, d_layers: of both critics.
    """

    noise: int = 5
    width: int = 100
    static_width: int = 100
    passes: int = 50
    d_width: int = 200
    d_layers: int = 5

    def __post_init__(self) -> None:
        check_widths(
            noise=self.noise, width=self.width, static_width=self.static_width, passes=self.passes, d_width=self.d_width
        )
        require(2 <= self.d_layers <= 100, "d_layers", self.d_layers, "from 2 to 100")

    def build(self, spec: Spec) -> nn.ModuleDict:
        parts = split_fields(spec)
        statics = [*parts.statics.places, *parts.ranges.places]
        if not statics:
            raise GanvasError(
                "DoppelGANger's second critic judges statics and ranges, and these windows have none: take the recipe timegan"
            )
        G = DoppelGANgerGenerator(spec, self.noise, self.width, self.static_width, self.passes)
        critics = {
            name: FieldCritic(spec.shape[0], statics, steps, self.d_width, self.d_layers)
            for name, steps in (("D", parts.steps.places), ("D_statics", list[int]()))
        }
        return nn.ModuleDict({"G": G, **critics})

    def smallest(self) -> "DoppelGANger":
        return replace(self, noise=1, width=2, static_width=2, passes=2, d_width=4, d_layers=2)
