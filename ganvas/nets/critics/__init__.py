"""Critics that any generator can play against, and the wrapper that joins them."""

from .scales_critic import ScalesCritic
from .unet_critic import UNetCritic
from .vgg_critic import VGGCritic
from .with_critic import WithCritic

__all__ = ["ScalesCritic", "UNetCritic", "VGGCritic", "WithCritic"]
