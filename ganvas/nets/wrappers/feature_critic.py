"""Networks with a further critic, F, on a trained classifier's features of samples. Sauer et al. 2021 (Projected GANs)."""

from dataclasses import replace

from torch import nn

from ...configuration import config
from ...core import Architecture, Spec
from ..layers.labels import check_widths, read_image_shape
from ..projected import FeatureCritic, compute_pyramid_shapes
from ..translation import ImageToImage


@config
class WithFeatureCritic:
    """Adds F to networks for images. It wants `SideCritic(network="F", view=FeaturePyramid())` in the method.

    width: channels of F's first layers.
    """

    nets: Architecture = ImageToImage()
    width: int = 32

    def __post_init__(self) -> None:
        check_widths(width=self.width)

    def build(self, spec: Spec) -> nn.ModuleDict:
        _, height, width = read_image_shape(spec, "WithFeatureCritic")
        networks = self.nets.build(spec)
        networks["F"] = FeatureCritic(compute_pyramid_shapes(height, width), self.width, 0)
        return networks

    def smallest(self) -> "WithFeatureCritic":
        return replace(self, nets=self.nets.smallest(), width=2)
