"""Training methods, one per file."""

from .adversarial import Adversarial
from .autoencoding import Autoencoding
from .contrastive import Contrastive
from .critics import SideCritic
from .cycle import Cycle
from .many_domains import ManyDomains
from .pair_matching import PairMatching
from .part_views import PartPyramid
from .pixels_first import PixelsFirst
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
    "ManyDomains",
    "PairMatching",
    "PartPyramid",
    "PixelsFirst",
    "PrivateAdversarial",
    "Progressive",
    "SideCritic",
    "Supervised",
    "TimeGAN",
]
