"""What a sample is: from files and arrays to what networks see, and back. One file a medium."""

from .image import Image
from .image_codec import RESIZE, ImageCodec
from .points import Points, PointsCodec

__all__ = ["RESIZE", "Image", "ImageCodec", "Points", "PointsCodec"]
