"""What D sees of samples, real and generated alike."""

from .diffaugment import DiffAugment
from .instance_noise import InstanceNoise

__all__ = ["DiffAugment", "InstanceNoise"]
