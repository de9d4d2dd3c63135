"""Networks: one file per architecture, and wrappers for any of them."""

from .biggan_deep import BigGANDeep
from .compact import Compact
from .critics import PatchGAN, PixelGAN, ScalesCritic, UNetCritic, VGGCritic
from .dcgan import DCGAN
from .dfgan import DFGAN
from .gat import GAT
from .mlp import MLP
from .progan import ProGAN
from .projected import Projected
from .public_rows import PublicRowPerceptrons
from .r3gan import R3GAN
from .residual import SAGAN, SNGAN, BigGAN
from .series import DoppelGANger, SeriesGRUs, WindowConvolutions
from .stylegan import StyleGAN
from .stylegan2 import StyleGAN2
from .stylegan3 import StyleGAN3
from .styleswin import StyleSwin
from .tables import CTGAN, TVAE, RowPerceptrons, RowShares
from .text_to_image import TextToImage
from .tokens import TokenGRUs
from .translation import (
    CUT,
    SPADE,
    SRVGG,
    Chroma,
    CycleGAN,
    GatedInpainting,
    Hole,
    ImageToImage,
    LaMa,
    MSRResNet,
    PretrainedUNet,
    Residual,
    ResNet,
    RRDBNet,
    SRResNet,
    StarGAN,
    UNet,
)
from .wrappers.conditioning import AuxiliaryClassifier, Concatenation, Projection
from .wrappers.encoded import WithEncoder
from .wrappers.feature_critic import WithFeatureCritic
from .wrappers.initialised import WithInitialisation
from .wrappers.minibatch import MinibatchDiscrimination
from .wrappers.spectral import WithSpectralNorm
from .wrappers.virtual import VirtualBatchNorm

__all__ = [
    "CTGAN",
    "CUT",
    "DCGAN",
    "DFGAN",
    "GAT",
    "MLP",
    "R3GAN",
    "SAGAN",
    "SNGAN",
    "SPADE",
    "SRVGG",
    "TVAE",
    "AuxiliaryClassifier",
    "BigGAN",
    "BigGANDeep",
    "Chroma",
    "Compact",
    "Concatenation",
    "CycleGAN",
    "DoppelGANger",
    "GatedInpainting",
    "Hole",
    "ImageToImage",
    "LaMa",
    "MSRResNet",
    "MinibatchDiscrimination",
    "PatchGAN",
    "PixelGAN",
    "PretrainedUNet",
    "ProGAN",
    "Projected",
    "Projection",
    "PublicRowPerceptrons",
    "RRDBNet",
    "ResNet",
    "Residual",
    "RowPerceptrons",
    "RowShares",
    "SRResNet",
    "ScalesCritic",
    "SeriesGRUs",
    "StarGAN",
    "StyleGAN",
    "StyleGAN2",
    "StyleGAN3",
    "StyleSwin",
    "TextToImage",
    "TokenGRUs",
    "UNet",
    "UNetCritic",
    "VGGCritic",
    "VirtualBatchNorm",
    "WindowConvolutions",
    "WithEncoder",
    "WithFeatureCritic",
    "WithInitialisation",
    "WithSpectralNorm",
]
