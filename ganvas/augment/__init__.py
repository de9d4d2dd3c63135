"""What D sees of samples, real and generated alike."""

from .ada import ADA, AdaptiveStrength, RisingStrength
from .diffaugment import DiffAugment
from .instance_noise import InstanceNoise

__all__ = ["ADA", "AdaptiveStrength", "DiffAugment", "InstanceNoise", "RisingStrength"]
