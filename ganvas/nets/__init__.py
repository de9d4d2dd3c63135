"""Networks, one file an architecture; and what wraps any of them."""

from .biggan_deep import BigGANDeep
from .compact import Compact
from .conditioning import AuxiliaryClassifier, Concatenation, Projection
from .dcgan import DCGAN
from .initialised import Initialised
from .minibatch import MinibatchDiscrimination
from .mlp import MLP
from .residual import SAGAN, SNGAN, BigGAN
from .spectral import Spectral
from .virtual import VirtualBatchNorm

__all__ = [
    "DCGAN",
    "MLP",
    "SAGAN",
    "SNGAN",
    "AuxiliaryClassifier",
    "BigGAN",
    "BigGANDeep",
    "Compact",
    "Concatenation",
    "Initialised",
    "MinibatchDiscrimination",
    "Projection",
    "Spectral",
    "VirtualBatchNorm",
]
