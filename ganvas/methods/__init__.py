"""Training methods, one per file."""

from .adversarial import Adversarial
from .autoencoding import Autoencoding
from .contrastive import Contrastive
from .critics import SideCritic
from .cycle import Cycle
from .level_guidance import LastLevel, LevelGuidance
from .level_noise import LevelNoise
from .many_domains import ManyDomains
from .pair_matching import PairMatching
from .pixels_first import PixelsFirst
from .policy_gradient import PolicyGradient
from .preferred import Preferred
from .private_adversarial import PrivateAdversarial
from .progressive import Progressive
from .supervised import Supervised
from .timegan import TimeGAN
from .vae_gan import VAEGAN
from .views import FeaturePyramid

__all__ = [
    "VAEGAN",
    "Adversarial",
    "Autoencoding",
    "Contrastive",
    "Cycle",
    "FeaturePyramid",
    "LastLevel",
    "LevelGuidance",
    "LevelNoise",
    "ManyDomains",
    "PairMatching",
    "PixelsFirst",
    "PolicyGradient",
    "Preferred",
    "PrivateAdversarial",
    "Progressive",
    "SideCritic",
    "Supervised",
    "TimeGAN",
]
