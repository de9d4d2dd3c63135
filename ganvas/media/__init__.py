"""What a sample is: from files and arrays to what networks see, and back. One file per medium."""

from .conditions import SampleCondition
from .image.codec import RESIZE_FILTER, ImageCodec
from .image.medium import Image
from .points import Points, PointsCodec

__all__ = ["RESIZE_FILTER", "Image", "ImageCodec", "Points", "PointsCodec", "SampleCondition"]
