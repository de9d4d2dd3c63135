"""Other starts for any networks."""

from dataclasses import replace
from typing import Literal

from torch import Tensor, nn

from ...configuration import config
from ...core import Architecture, Spec
from ..layers.labels import get_learned_weight, is_zero_weight
from ..mlp import MLP

InitialScheme = Literal["orthogonal", "xavier", "he", "normal"]


@config
class WithInitialisation:
    """Any networks, the weights of linear and convolution layers drawn anew; biases 0.

    orthogonal: Saxe et al. 2014. xavier: Glorot & Bengio 2010. he: He et al. 2015, for LeakyReLU 0.2. normal: N(0, 0.02),
    Radford et al. 2016.
    """

    nets: Architecture = MLP()
    scheme: InitialScheme = "orthogonal"

    def build(self, spec: Spec) -> nn.ModuleDict:
        networks = self.nets.build(spec)
        for layer in networks.modules():
            if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)) and not is_zero_weight(layer.weight):  # 0 is meant
                initialise_weight(get_learned_weight(layer), self.scheme)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        return networks

    def smallest(self) -> "WithInitialisation":
        return replace(self, nets=self.nets.smallest())


def initialise_weight(weight: Tensor, scheme: InitialScheme) -> None:
    match scheme:
        case "orthogonal":
            nn.init.orthogonal_(weight)
        case "xavier":
            nn.init.xavier_uniform_(weight)
        case "he":
            nn.init.kaiming_normal_(weight, 0.2)
        case "normal":
            nn.init.normal_(weight, 0.0, 0.02)
