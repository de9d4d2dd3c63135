"""Any generator that starts from a picture, and any critic: pix2pix, pix2pixHD, super-resolution, inpainting."""

from dataclasses import replace

from torch import nn

from ...configuration import config
from ...core import Spec
from ...errors import GanvasError
from ..critics import CriticDesign, PatchGAN
from ..layers.labels import ImageShape, read_image_shape
from .source_generator import SOURCE, GeneratorDesign, SourceGenerator, build_fitting_generator, read_source_shape
from .unet import UNet


@config
class ImageToImage:
    """{"G": source -> x, "D": a critic of x}, for pairs. The defaults are pix2pix's networks. Isola et al. 2017.

    critic: None makes G alone, for a loss on pixels.
    critic_sees: the conditions of G that D sees too: "source", "mask". () for super-resolution, whose sources are smaller.
    """

    generator: GeneratorDesign = UNet()
    critic: CriticDesign | None = PatchGAN(norm="batch")
    critic_sees: tuple[str, ...] = (SOURCE,)

    def build(self, spec: Spec) -> nn.ModuleDict:
        name = type(self.generator).__name__
        source, x = read_source_shape(spec, name), read_image_shape(spec, name)
        G = build_fitting_generator(self.generator, source, x)
        networks = nn.ModuleDict({"G": G})
        if self.critic is not None:
            networks["D"] = self.critic.build_critic(x, self.list_seen_channels(G, source))
        return networks

    def list_seen_channels(self, G: SourceGenerator, source: ImageShape) -> dict[str, int]:
        """The channels of each condition that D sees. Raises GanvasError for one that it cannot see."""
        channels = {name: count for name, count in ((SOURCE, source[0]), ("mask", 1)) if name in G.conditions}
        for name in self.critic_sees:
            if name not in channels or G.scale > 1:
                reason = f"is {G.scale} times smaller than samples" if name in channels else "is no image that G takes"
                raise GanvasError(f"critic_sees names {name!r}, which {reason}: leave it out")
        return {name: channels[name] for name in self.critic_sees}

    def smallest(self) -> "ImageToImage":
        critic = None if self.critic is None else self.critic.smallest()
        return replace(self, generator=self.generator.smallest(), critic=critic)
