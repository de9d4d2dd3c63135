"""Augmentations of what D sees, the same for real and generated samples."""

from .ada import ADA, AdaptiveStrength, RisingStrength
from .diffaugment import DiffAugment
from .instance_noise import InstanceNoise
from .picture_augment import PictureAugment

__all__ = ["ADA", "AdaptiveStrength", "DiffAugment", "InstanceNoise", "PictureAugment", "RisingStrength"]
