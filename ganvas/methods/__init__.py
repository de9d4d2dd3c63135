"""Training methods, one per file."""

from .adversarial import Adversarial
from .autoencoding import Autoencoding
from .critics import SideCritic
from .progressive import Progressive
from .vae_gan import VAEGAN
from .views import FeaturePyramid

__all__ = ["VAEGAN", "Adversarial", "Autoencoding", "FeaturePyramid", "Progressive", "SideCritic"]
