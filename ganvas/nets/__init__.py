"""Networks: one file per architecture, and wrappers for any of them."""

from .biggan_deep import BigGANDeep
from .compact import Compact
from .critics import ScalesCritic, UNetCritic, VGGCritic, WithCritic
from .dcgan import DCGAN
from .mlp import MLP
from .pix2pixhd import GlobalGenerator
from .progan import ProGAN
from .projected import Projected
from .r3gan import R3GAN
from .residual import SAGAN, SNGAN, BigGAN
from .restoration import SRVGG, GatedInpainting, LaMa, MSRResNet, RRDBNet, SRResNet
from .stargan import StarGAN
from .stylegan import StyleGAN
from .stylegan2 import StyleGAN2
from .stylegan3 import StyleGAN3
from .wrappers.conditioning import AuxiliaryClassifier, Concatenation, Projection
from .wrappers.encoded import WithEncoder
from .wrappers.initialised import WithInitialisation
from .wrappers.minibatch import MinibatchDiscrimination
from .wrappers.spectral import WithSpectralNorm
from .wrappers.virtual import VirtualBatchNorm

__all__ = [
    "DCGAN",
    "MLP",
    "R3GAN",
    "SAGAN",
    "SNGAN",
    "SRVGG",
    "AuxiliaryClassifier",
    "BigGAN",
    "BigGANDeep",
    "Compact",
    "Concatenation",
    "GatedInpainting",
    "GlobalGenerator",
    "LaMa",
    "MSRResNet",
    "MinibatchDiscrimination",
    "ProGAN",
    "Projected",
    "Projection",
    "RRDBNet",
    "SRResNet",
    "ScalesCritic",
    "StarGAN",
    "StyleGAN",
    "StyleGAN2",
    "StyleGAN3",
    "UNetCritic",
    "VGGCritic",
    "VirtualBatchNorm",
    "WithCritic",
    "WithEncoder",
    "WithInitialisation",
    "WithSpectralNorm",
]
