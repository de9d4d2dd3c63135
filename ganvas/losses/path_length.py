"""G's images change evenly with its styles. Karras et al. 2020a, section 3.2 and appendix B."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import Clock, GeneratorNetwork, Latents, Nets, Turn
from ..errors import GanvasError, refuse


class PathLengthMean(nn.Module):
    """Of path lengths so far."""

    length: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("length", torch.zeros(()))


@config
class PathLength:
    """weight·(‖Jᵀy‖ − a)² where J is the image's derivative by the styles, y ~ N(0, I)/√(HW) and a the lengths' moving mean.

    every: steps; shrink: it is taken of one in so many samples (both lazy, their appendix B).
    """

    weight: float = 2.0
    every: int = 4
    subsample: int = 2
    mean_decay: float = 0.99  # of the mean, a time

    def __post_init__(self) -> None:
        refuse(not self.weight >= 0, "method.path_length.weight", self.weight, "0 or more", "--method.path-length.weight 2")
        refuse(self.every < 1, "method.path_length.every", self.every, "1 or more", "--method.path-length.every 4")
        refuse(self.subsample < 1, "method.path_length.shrink", self.subsample, "1 or more", "--method.path-length.shrink 2")
        refuse(
            not 0 <= self.mean_decay < 1,
            "method.path_length.keep",
            self.mean_decay,
            "in [0, 1)",
            "--method.path-length.keep 0.99",
        )

    def state(self, nets: Nets) -> nn.Module:
        G = nets["G"]
        if not (isinstance(G, GeneratorNetwork) and G.has_styles):
            raise GanvasError("path lengths are those of style networks, and G has no styles: leave out method.path_length")
        return PathLengthMean()

    def __call__(self, nets: Nets, latents: Latents) -> Turn:
        with torch.autocast(next(iter(latents.values())).device.type, enabled=False):
            lengths = measure_path_lengths(nets["G"], latents)
        mean = torch.lerp(
            self.get_length_mean(nets).length, lengths.mean(), 1 - self.mean_decay
        )  # through which gradients flow, too
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
