"""What the style networks share: from z to styles, a style for every layer. Karras et al. 2019, section 2."""

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ...core import GeneratorNetwork
from .equalised import HE_GAIN, EqualisedLinear, normalise_pixels
from .labels import compute_class_shares


class MappingNetwork(nn.Module):
    """z [N, z_dim], label int64 [N] or a mixture [N, K] where there are `classes` -> w [N, w_dim].

    Its mean is followed in training.

    Without z_dim it maps labels alone.
    lr: of its layers, against the others'. keep: of the mean's old value, a batch; None follows no mean.
    """

    middle: Tensor

    def __init__(
        self, z_dim: int, w_dim: int, layers: int, classes: int = 0, lr: float = 0.01, mean_decay: float | None = 0.995
    ) -> None:
        super().__init__()
        self.label = EqualisedLinear(classes, w_dim) if classes else None
        self.z_dim, self.classes, self.mean_decay = z_dim, classes, mean_decay
        sizes = [z_dim + (w_dim if classes else 0)] + [w_dim] * layers
        self.layers = nn.ModuleList(EqualisedLinear(sizes[k], sizes[k + 1], lr=lr, boost=HE_GAIN) for k in range(layers))
        self.register_buffer("middle", None if mean_decay is None else torch.zeros(w_dim))

    def forward(self, z: Tensor | None, label: Tensor | None = None) -> Tensor:
        with torch.autocast(next(self.parameters()).device.type, enabled=False):  # styles are few, and small errors grow
            return self.map_latents(z, label)

    def map_latents(self, z: Tensor | None, label: Tensor | None) -> Tensor:
        inputs = [] if z is None else [normalise_pixels(z.float())]
        if self.label is not None and label is not None:
            inputs.append(normalise_pixels(self.label(compute_class_shares(label, self.classes))))
        h = torch.cat(inputs, 1)
        for layer in self.layers:
            h = leaky_relu(layer(h), 0.2)
        if self.training and self.mean_decay is not None:
            self.middle.lerp_(h.detach().mean(0), 1 - self.mean_decay)
        return h


def truncate_styles(ws: Tensor, middle: Tensor, truncation: Tensor | None) -> Tensor:
    """ws [N, layers, w_dim] drawn towards the mean: ψ, `truncation` [N] or [N, layers], is the share of the way left."""
    return ws if truncation is None else torch.lerp(middle.expand_as(ws), ws, truncation.view(ws.shape[0], -1, 1))


def mix_styles(ws: Tensor, other_w: Tensor, probability: float) -> Tensor:
    """ws [N, layers, w_dim], some with another's w [N, w_dim] from a random layer on: with `probability`. Section 3.1."""
    n, layers, _ = ws.shape
    crossover = torch.randint(1, layers, (n, 1), device=ws.device)
    crossover = torch.where(torch.rand(n, 1, device=ws.device) < probability, crossover, layers)
    is_own_layer = torch.arange(layers, device=ws.device) < crossover
    return torch.where(is_own_layer[..., None], ws, other_w[:, None])


class StyleGenerator(GeneratorNetwork):
    """G as mapping and synthesis: z [N, z_dim], label [N], truncation [N] -> x. Subclasses say what is made of styles.

    In the place of all these it takes `ws` [N, layers, w_dim]. In training, styles of two latents are mixed with probability
    `mixing`.
    """

    takes_truncation = True
    has_styles = True
    layer_count: int  # that want a style each

    def __init__(self, mapping: MappingNetwork, mixing: float) -> None:
        super().__init__()
        self.mapping, self.mixing = mapping, mixing
        self.z_dim, self.conditions = mapping.z_dim, ("label",) if mapping.classes else ()

    def forward(
        self,
        z: Tensor | None = None,
        label: Tensor | None = None,
        truncation: Tensor | None = None,
        ws: Tensor | None = None,
    ) -> Tensor:
        return self.render_styles(self.map_to_styles(z, label, truncation) if ws is None else ws)

    def render_styles(self, ws: Tensor) -> Tensor:
        """ws [N, layers, w_dim] -> x."""
        raise NotImplementedError

    def map_to_styles(self, z: Tensor | None, label: Tensor | None = None, truncation: Tensor | None = None) -> Tensor:
        """A style for every layer, [N, layers, w_dim]."""
        assert z is not None
        ws = self.mapping(z, label)[:, None].expand(-1, self.layer_count, -1)
        if self.training and self.mixing:
            ws = mix_styles(ws, self.mapping(torch.randn_like(z), label), self.mixing)
        return truncate_styles(ws, self.mapping.middle, truncation)
