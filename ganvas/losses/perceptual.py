"""The distance of a generated picture from the one that it should be, in the features of a trained network.

Johnson et al. 2016, eq. 2. The features have length 1 at each place, as in Zhang et al. 2018, eq. 1, with equal weights.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import LossInputs, Nets
from ..errors import require
from ..extractors.perceptual import choose_feature_maps
from .generator_loss import GeneratorLoss


@config
class PerceptualLoss(GeneratorLoss):
    """weight times ‖f(x) - f(G)‖² at each place, averaged over places and summed over layers: at most 4 per layer.

    features: "efficientnet" for photographs and drawings, "classifier" for small gray pictures, "pixels" for blurred pixels,
        which needs no network. The papers take VGG, whose weights no package brings.
    """

    weight: float = 1.0
    features: Literal["efficientnet", "classifier", "pixels"] = "efficientnet"

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")

    def state(self, nets: Nets) -> nn.Module | None:
        """Loads the network, so that missing weights show before the first step."""
        choose_feature_maps(self.features)(torch.device("cpu"))
        return None

    def term(self, inputs: LossInputs) -> Tensor | None:
        compute_maps = choose_feature_maps(self.features)(inputs.fake.x.device)
        with torch.no_grad():
            target_maps = compute_maps(inputs.batch["x"])
        errors = [
            (a.float() - b.float()).square().sum(1).mean((1, 2))
            for a, b in zip(compute_maps(inputs.fake.x), target_maps, strict=True)
        ]
        return self.weight * torch.stack(errors).sum(0)
