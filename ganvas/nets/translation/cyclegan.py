"""The networks of CycleGAN: two translators, there and back, and a critic of each kind of image. Zhu et al. 2017."""

from dataclasses import replace

from torch import nn

from ...configuration import config
from ...core import Spec
from ..layers.labels import read_image_shape
from .patchgan import PatchGAN
from .resnet import ResNet
from .translator import CriticDesign, TranslatorDesign, check_scale, read_source_shape


@config
class CycleGAN:
    """{"G": source -> x, "G_reverse": x -> source, "D": a critic of x, "D_reverse": a critic of sources}, without pairs.

    The paper calls them G, F, D_Y and D_X.
    """

    generator: TranslatorDesign = ResNet()
    critic: CriticDesign = PatchGAN()

    def build(self, spec: Spec) -> nn.ModuleDict:
        source, x = read_source_shape(spec, "CycleGAN"), read_image_shape(spec, "CycleGAN")
        G, G_reverse = self.generator.build_translator(source, x[0]), self.generator.build_translator(x, source[0])
        check_scale(G, source, x, "CycleGAN")
        check_scale(G_reverse, x, source, "CycleGAN")
        D, D_reverse = self.critic.build_critic(x, 0), self.critic.build_critic(source, 0)
        return nn.ModuleDict({"G": G, "G_reverse": G_reverse, "D": D, "D_reverse": D_reverse})

    def smallest(self) -> "CycleGAN":
        return replace(self, generator=self.generator.smallest(), critic=self.critic.smallest())
