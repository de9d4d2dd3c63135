"""Translators in others' files: the generators of CycleGAN, pix2pix, CUT, pix2pixHD, ESRGAN, Real-ESRGAN, StarGAN and LaMa.

A file shows a network's sizes, but not the pictures': these networks take nearly any size. A usual one is stated.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from ...core import Architecture
from ...errors import GanvasError
from ...nets import Hole, ImageToImage, LaMa, StarGAN, UNet
from ...nets.critics import PatchGAN
from ...nets.translation import GeneratorDesign
from . import ConvertedNetwork, FileNetwork
from .basicsr import RRDBNET_BLOCK, convert_msrresnet, convert_rrdbnet, convert_srvgg
from .cyclegan import read_translator
from .lama import convert_lama
from .renaming import RenamedNetwork
from .stargan import convert_stargan_generator

USUAL_SIDE, STARGAN_SIDE = 256, 128  # of results, in pixels
MULTI_GPU_PREFIX = "module."
INNER_NETWORK = "net"  # of a generator that keeps what is known around a hole
LAMA_LAYER = r"(generator\.)?(model\.)?1\.ffc\.convl2l\.weight"


class TranslatorKind(NamedTuple):
    """A form of file: how to know it, and how to read it."""

    is_it: Callable[[Mapping[str, Tensor]], bool]
    convert: Callable[[Mapping[str, Tensor]], RenamedNetwork | None]


def has_names(*patterns: str) -> Callable[[Mapping[str, Tensor]], bool]:
    """Whether each pattern fits a whole name."""
    return lambda tensors: all(any(re.fullmatch(pattern, name) for name in tensors) for pattern in patterns)


KINDS = (
    TranslatorKind(has_names(LAMA_LAYER), convert_lama),
    TranslatorKind(has_names(RRDBNET_BLOCK), convert_rrdbnet),
    TranslatorKind(has_names(r"conv_first\.weight", r"body\.0\.conv1\.weight"), convert_msrresnet),
    TranslatorKind(has_names(r"body\.0\.weight", r"body\.1\.weight", r"body\.2\.weight"), convert_srvgg),
    TranslatorKind(has_names(r"main\.0\.weight", r"main\.\d+\.main\.0\.weight"), convert_stargan_generator),
    TranslatorKind(has_names(r"model\.(model|1)\..*"), read_translator),
)


def read(network: FileNetwork) -> ConvertedNetwork | None:
    """A generator that starts from a picture; None for any other network.

    Raises:
        GanvasError: a known network in a form that is not supported.
    """
    tensors = {name.removeprefix(MULTI_GPU_PREFIX): value for name, value in network.tensors.items()}
    kind = next((kind for kind in KINDS if kind.is_it(tensors)), None)
    renamed = None if kind is None else kind.convert(tensors)
    return None if renamed is None else describe_translator(renamed)


def describe_translator(renamed: RenamedNetwork) -> ConvertedNetwork:
    """The network with an architecture of its kind, and the usual sizes of its pictures."""
    design = renamed.design
    if isinstance(design, StarGAN):
        return describe_stargan(renamed, design)
    assert isinstance(design, GeneratorDesign)
    if isinstance(design, LaMa):
        return describe_lama(renamed, design)
    with torch.device("meta"):
        G = design.build_generator((renamed.input_channels, USUAL_SIDE, USUAL_SIDE), renamed.channels)
    side = max(G.multiple, G.smallest_side) if isinstance(design, UNet) else USUAL_SIDE // G.scale
    nets: Architecture = ImageToImage(generator=design, critic=PatchGAN(), critic_sees=())
    shape = (renamed.channels, side * G.scale, side * G.scale)
    source = (renamed.input_channels, side, side)
    return ConvertedNetwork(renamed.origin, "", nets, shape, 0, "G", renamed.state, source)


def describe_lama(renamed: RenamedNetwork, design: LaMa) -> ConvertedNetwork:
    """LaMa's G makes all pixels anew; as in its authors' code, the known ones are then taken from the picture."""
    nets = ImageToImage(generator=Hole(generator=design), critic=PatchGAN(), critic_sees=())
    shape = (renamed.channels, USUAL_SIDE, USUAL_SIDE)
    state = {f"{INNER_NETWORK}.{name}": value for name, value in renamed.state.items()}
    return ConvertedNetwork(renamed.origin, "", nets, shape, 0, "G", state, shape, has_mask=True)


def describe_stargan(renamed: RenamedNetwork, design: StarGAN) -> ConvertedNetwork:
    """StarGAN's G sees the picture and a plane for each attribute; what it makes has the picture's channels."""
    attributes = renamed.input_channels - renamed.channels
    if attributes < 1:
        raise GanvasError(f"{renamed.origin} without attributes is not supported: convert the file of the published network")
    shape = (renamed.channels, STARGAN_SIDE, STARGAN_SIDE)
    return ConvertedNetwork(renamed.origin, "", design, shape, 0, "G", renamed.state, shape, attributes)
