"""Make G's images change evenly with its styles. Karras et al. 2020a, section 3.2 and appendix B."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import Clock, GeneratorNetwork, Latents, Nets, Turn
from ..errors import GanvasError, require


class PathLengthMean(nn.Module):
    """The moving mean of path lengths."""

    length: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("length", torch.zeros(()))


@config
class PathLength:
    """weight·(‖Jᵀy‖ − a)² where J is the image's derivative by the styles, y ~ N(0, I)/√(HW) and a the lengths' moving mean.

    every: steps from one penalty to the next (lazy regularisation, their appendix B).
    subsample: divides the batch: 2 uses half of it.
    """

    weight: float = 2.0
    every: int = 4
    subsample: int = 2
    mean_decay: float = 0.99  # decay of the moving mean, per penalty

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")
        require(self.every >= 1, "every", self.every, "1 or more")
        require(self.subsample >= 1, "subsample", self.subsample, "1 or more")
        require(0 <= self.mean_decay < 1, "mean_decay", self.mean_decay, "in [0, 1)")

    def state(self, nets: Nets) -> nn.Module:
        G = nets["G"]
        if not (isinstance(G, GeneratorNetwork) and G.has_styles):
            raise GanvasError("PathLength is for style networks, and this G has no styles: leave `path_length` out")
        return PathLengthMean()

    def __call__(self, nets: Nets, latents: Latents) -> Turn:
        with torch.autocast(next(iter(latents.values())).device.type, enabled=False):
            lengths = measure_path_lengths(nets["G"], latents)
        # gradients flow through the mean, too
        mean = torch.lerp(self.get_length_mean(nets).length, lengths.mean(), 1 - self.mean_decay)
        return Turn({"G/PathLength": self.weight * (lengths - mean).square()}, {"G/path": lengths.mean().detach()})

    def after(self, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        self.get_length_mean(nets).length.lerp_(statistics["G/path"], 1 - self.mean_decay)

    def get_length_mean(self, nets: Nets) -> PathLengthMean:
        memory = nets[type(self).__name__]
        assert isinstance(memory, PathLengthMean)
        return memory


def measure_path_lengths(G: nn.Module, latents: Latents) -> Tensor:
    """√(mean over layers of ‖Jᵀy‖²), [N]."""
    ws = G.map_to_styles(**latents)  # type: ignore[operator]  # [N, layers, w_dim]
    x = G.render_styles(ws)  # type: ignore[operator]
    noise = torch.randn_like(x) / (x.shape[2] * x.shape[3]) ** 0.5
    (gradient,) = torch.autograd.grad((x * noise).sum(), ws, create_graph=True)
    return gradient.square().sum(2).mean(1).sqrt()
