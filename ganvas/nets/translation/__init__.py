"""Networks that translate images: translators, critics of patches and pairs, and the architectures that join them."""

from .cut import CUT
from .cyclegan import CycleGAN
from .patchgan import PatchGAN
from .pix2pix import Pix2Pix
from .pixelgan import PixelGAN
from .projection_head import ProjectionHead, draw_places
from .resnet import ResNet
from .translator import CriticDesign, TranslatorDesign, TranslatorNetwork
from .unet import UNet

__all__ = [
    "CUT",
    "CriticDesign",
    "CycleGAN",
    "PatchGAN",
    "Pix2Pix",
    "PixelGAN",
    "ProjectionHead",
    "ResNet",
    "TranslatorDesign",
    "TranslatorNetwork",
    "UNet",
    "draw_places",
]
