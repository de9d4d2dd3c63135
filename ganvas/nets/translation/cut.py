"""The networks of CUT: a generator, a critic, and a head that maps patches to points. Park et al. 2020."""

from dataclasses import replace

from torch import nn

from ...configuration import config
from ...core import Spec
from ...errors import GanvasError, require
from ..critics import CriticDesign, PatchGAN
from ..layers.labels import check_widths, read_image_shape
from .feature_translator import FeatureTranslator
from .projection_head import ProjectionHead
from .resnet import ResNet, check_feature_names
from .source_generator import GeneratorDesign, build_fitting_generator, read_source_shape


@config
class CUT:
    """{"G": source -> x, "D": a critic of x, "H": features of G -> points on a sphere}, without pairs.

    features: the layers of G whose features H takes. The paper's are pixels, both halvings, and the first and fifth block.
    """

    generator: GeneratorDesign = ResNet(antialiased=True)
    critic: CriticDesign = PatchGAN(antialiased=True)
    features: tuple[str, ...] = ("pad", "down1", "down2", "block1", "block5")
    head_width: int = 256  # numbers in a point

    def __post_init__(self) -> None:
        check_widths(head_width=self.head_width)
        is_valid = len(self.features) == len(set(self.features)) > 0
        require(is_valid, "features", self.features, "one or more names of layers, each once")

    def build(self, spec: Spec) -> nn.ModuleDict:
        source, x = read_source_shape(spec, "CUT"), read_image_shape(spec, "CUT")
        G = build_fitting_generator(self.generator, source, x)
        if not isinstance(G, FeatureTranslator):
            raise GanvasError(
                f"CUT needs a generator that shows its features, and {type(self.generator).__name__} shows none: take ResNet, "
                "or Residual around it"
            )
        check_feature_names(G, self.features)
        H = ProjectionHead({name: G.feature_widths[name] for name in self.features}, self.head_width)
        return nn.ModuleDict({"G": G, "D": self.critic.build_critic(x, {}), "H": H})

    def smallest(self) -> "CUT":
        return replace(
            self,
            generator=self.generator.smallest(),
            critic=self.critic.smallest(),
            features=("pad", "down1", "block1"),
            head_width=2,
        )
