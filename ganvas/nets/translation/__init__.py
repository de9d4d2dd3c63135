"""Generators that start from a picture, and the architectures that join them with critics: translation, enlarging, filling."""

from .chroma import Chroma
from .cut import CUT
from .cyclegan import CycleGAN
from .feature_translator import FeatureTranslator
from .gated import GatedInpainting
from .hole import Hole
from .image_to_image import ImageToImage
from .lama import LaMa
from .msrresnet import MSRResNet
from .pretrained_unet import PretrainedUNet
from .projection_head import ProjectionHead, draw_places
from .residual import Residual
from .resnet import ResNet
from .rrdbnet import RRDBNet
from .source_generator import GeneratorDesign, SourceGenerator
from .spade import SPADE
from .srresnet import SRResNet
from .srvgg import SRVGG
from .stargan import StarGAN
from .unet import UNet

__all__ = [
    "CUT",
    "SPADE",
    "SRVGG",
    "Chroma",
    "CycleGAN",
    "FeatureTranslator",
    "GatedInpainting",
    "GeneratorDesign",
    "Hole",
    "ImageToImage",
    "LaMa",
    "MSRResNet",
    "PretrainedUNet",
    "ProjectionHead",
    "RRDBNet",
    "ResNet",
    "Residual",
    "SRResNet",
    "SourceGenerator",
    "StarGAN",
    "UNet",
    "draw_places",
]
