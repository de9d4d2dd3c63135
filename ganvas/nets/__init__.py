"""Networks: one file per architecture, and wrappers for any of them."""

from .biggan_deep import BigGANDeep
from .compact import Compact
from .dcgan import DCGAN
from .mlp import MLP
from .progan import ProGAN
from .projected import Projected
from .r3gan import R3GAN
from .residual import SAGAN, SNGAN, BigGAN
from .stylegan import StyleGAN
from .stylegan2 import StyleGAN2
from .stylegan3 import StyleGAN3
from .translation import CUT, CycleGAN, PatchGAN, Pix2Pix, PixelGAN, ResNet, UNet
from .wrappers.conditioning import AuxiliaryClassifier, Concatenation, Projection
from .wrappers.encoded import WithEncoder
from .wrappers.initialised import WithInitialisation
from .wrappers.minibatch import MinibatchDiscrimination
from .wrappers.spectral import WithSpectralNorm
from .wrappers.virtual import VirtualBatchNorm

__all__ = [
    "CUT",
    "DCGAN",
    "MLP",
    "R3GAN",
    "SAGAN",
    "SNGAN",
    "AuxiliaryClassifier",
    "BigGAN",
    "BigGANDeep",
    "Compact",
    "Concatenation",
    "CycleGAN",
    "MinibatchDiscrimination",
    "PatchGAN",
    "Pix2Pix",
    "PixelGAN",
    "ProGAN",
    "Projected",
    "Projection",
    "ResNet",
    "StyleGAN",
    "StyleGAN2",
    "StyleGAN3",
    "UNet",
    "VirtualBatchNorm",
    "WithEncoder",
    "WithInitialisation",
    "WithSpectralNorm",
]
