"""G is to make different samples of different z under one condition. Mao et al. 2019 (MSGAN)."""

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import GeneratorNetwork, LossInputs, Nets
from ..errors import GanvasError, require
from .generator_loss import GeneratorLoss

LEAST_RATIO = 1e-3  # of the distances, so that a G that ignores z has a finite loss


@config
class ModeSeeking(GeneratorLoss):
    """weight / (|G(z, c) − G(z', c)| / |z − z'|), with mean absolute differences.

    It is for conditions that fit many samples, such as brief captions, where G follows the condition and ignores z. Where one
    sample fits each condition there is nothing to vary.

    subsample: the term sees one pair of z for so many samples of the batch.
    """

    weight: float = 0.1
    subsample: int = 4

    def __post_init__(self) -> None:
        require(0 <= self.weight < 1e6, "weight", self.weight, "0 or more, below 1e6")
        require(1 <= self.subsample <= 1024, "subsample", self.subsample, "from 1 to 1024")

    def state(self, nets: Nets) -> nn.Module | None:
        G = nets["G"]
        if not (isinstance(G, GeneratorNetwork) and G.z_dim):
            raise GanvasError("ModeSeeking needs a G that starts from z, and this one starts from a picture: leave it out")
        return None

    def term(self, inputs: LossInputs) -> Tensor:
        G, batch = inputs.nets["G"], inputs.batch
        assert isinstance(G, GeneratorNetwork)
        count = -(-len(batch["x"]) // self.subsample)
        conditions = {name: torch.cat([batch[name][:count]] * 2) for name in G.conditions}
        z = torch.randn(2 * count, G.z_dim, device=batch["x"].device)
        ratio = measure_distances(G(z=z, **conditions).float()) / measure_distances(z)
        return self.weight / (ratio + LEAST_RATIO)


def measure_distances(values: Tensor) -> Tensor:
    """Mean absolute differences between the first half and the second, [2·N, …] -> [N]."""
    first, second = values.flatten(1).chunk(2)
    return (first - second).abs().mean(1)
