"""The networks of pix2pix: a translator, and a critic of pairs. Isola et al. 2017."""

from dataclasses import replace

from torch import nn

from ...configuration import config
from ...core import Spec
from ..layers.labels import read_image_shape
from .patchgan import PatchGAN
from .translator import CriticDesign, TranslatorDesign, check_scale, read_source_shape
from .unet import UNet


@config
class Pix2Pix:
    """{"G": source -> x, "D": a critic of (x, source)}, for pairs."""

    generator: TranslatorDesign = UNet()
    critic: CriticDesign = PatchGAN(norm="batch")

    def build(self, spec: Spec) -> nn.ModuleDict:
        source, x = read_source_shape(spec, "Pix2Pix"), read_image_shape(spec, "Pix2Pix")
        G = self.generator.build_translator(source, x[0])
        check_scale(G, source, x, "Pix2Pix")
        return nn.ModuleDict({"G": G, "D": self.critic.build_critic(x, source[0])})

    def smallest(self) -> "Pix2Pix":
        return replace(self, generator=self.generator.smallest(), critic=self.critic.smallest())
