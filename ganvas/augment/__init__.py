"""What D sees of samples, real and generated alike."""

from .ada import ADA, Adaptive, Rising
from .diffaugment import DiffAugment
from .instance_noise import InstanceNoise

__all__ = ["ADA", "Adaptive", "DiffAugment", "InstanceNoise", "Rising"]
