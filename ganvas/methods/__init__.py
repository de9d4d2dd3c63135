"""Training methods, one per file."""

from .adversarial import Adversarial
from .autoencoding import Autoencoding
from .critics import SideCritic
from .progressive import Progressive
from .vae_gan import VAEGAN

__all__ = ["VAEGAN", "Adversarial", "Autoencoding", "Progressive", "SideCritic"]
