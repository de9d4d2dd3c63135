"""Generators that start from a picture: small, damaged, or with a hole."""

from .gated import GatedInpainting
from .lama import LaMa
from .msrresnet import MSRResNet
from .rrdbnet import RRDBNet
from .srresnet import SRResNet
from .srvgg import SRVGG

__all__ = ["SRVGG", "GatedInpainting", "LaMa", "MSRResNet", "RRDBNet", "SRResNet"]
