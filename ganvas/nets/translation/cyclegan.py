"""The networks of CycleGAN: two generators, there and back, and a critic of each kind of image. Zhu et al. 2017."""

from dataclasses import replace

from torch import nn

from ...configuration import config
from ...core import Spec
from ..critics import CriticDesign, PatchGAN
from ..layers.labels import read_image_shape
from .resnet import ResNet
from .source_generator import GeneratorDesign, build_fitting_generator, read_source_shape


@config
class CycleGAN:
    """{"G": source -> x, "G_reverse": x -> source, "D": a critic of x, "D_reverse": a critic of sources}, without pairs.

    The paper calls them G, F, D_Y and D_X.
    """

    generator: GeneratorDesign = ResNet()
    critic: CriticDesign = PatchGAN()

    def build(self, spec: Spec) -> nn.ModuleDict:
        source, x = read_source_shape(spec, "CycleGAN"), read_image_shape(spec, "CycleGAN")
        G, G_reverse = (build_fitting_generator(self.generator, *ends) for ends in ((source, x), (x, source)))
        D, D_reverse = self.critic.build_critic(x, {}), self.critic.build_critic(source, {})
        return nn.ModuleDict({"G": G, "G_reverse": G_reverse, "D": D, "D_reverse": D_reverse})

    def smallest(self) -> "CycleGAN":
        return replace(self, generator=self.generator.smallest(), critic=self.critic.smallest())
