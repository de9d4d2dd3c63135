"""Critics of images that any generator can play against."""

from .critic_design import CriticDesign
from .patchgan import PatchGAN
from .pixelgan import PixelGAN
from .scales_critic import ScalesCritic
from .unet_critic import UNetCritic
from .vgg_critic import VGGCritic

__all__ = ["CriticDesign", "PatchGAN", "PixelGAN", "ScalesCritic", "UNetCritic", "VGGCritic"]
