"""Generators and critics as the PyTorch code of pix2pix, CycleGAN, CUT and pix2pixHD saves them (a state dict).

Each `read_…` finds the settings from names and shapes, and gives our names. Instance norm has no weights, so a file cannot show
whether there is one: convolutions with a bias are taken for convolutions before instance norm, as all published ones are.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from torch import Tensor

from ...errors import GanvasError
from ...nets import PatchGAN, PixelGAN, ResNet, UNet
from ...nets.layers.instance_norm import Norm
from .renaming import STATISTICS, RenamedNetwork, rename_layers

BLOCK_PATTERN = r"model\.(\d+)\.conv_block\.(\d+)\.(.*)"
FIRST_HALVING = 4  # its place in a ResNet
LARGEST_LEVEL = {0: "downs", 3: "ups"}  # of U-Nets: the kind of layer by its index in the level
OTHER_LEVELS = {1: "downs", 2: "down_norms", 3: "ups", 4: "up_norms", 5: "ups", 6: "up_norms"}


def read_translator(tensors: Mapping[str, Tensor]) -> RenamedNetwork | None:
    """A generator; None for names of another network.

    Raises:
        GanvasError: a known network in a form that is not supported.
    """
    tensors = drop_extra_tensors(tensors)
    if "model.model.0.weight" in tensors:
        return read_unet(tensors)
    if any(re.fullmatch(BLOCK_PATTERN, name) for name in tensors):
        return read_resnet(tensors)
    return None


def read_critic(tensors: Mapping[str, Tensor]) -> RenamedNetwork | None:
    """A discriminator of patches or of pixels; None for names of another network."""
    tensors = drop_extra_tensors(tensors)
    if "net.0.weight" in tensors and "net.5.weight" in tensors:
        return read_pixelgan(tensors)
    if "model.0.weight" in tensors and tensors["model.0.weight"].dim() == 4:
        return read_patchgan(tensors)
    return None


def drop_extra_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without the prefix of several GPUs, and without what follows from the rest.

    That is the blur's filters, and the statistics that instance norm kept in files of before 2018: it has no weight beside.
    """
    plain = {name.removeprefix("module."): value for name, value in tensors.items()}

    def is_extra(name: str) -> bool:
        layer, _, leaf = name.rpartition(".")
        return leaf == "filt" or (bool(re.fullmatch(STATISTICS, name)) and f"{layer}.weight" not in plain)

    return {name: value for name, value in plain.items() if not is_extra(name)}


def infer_norm(first_bias: str, tensors: Mapping[str, Tensor]) -> Norm:
    """The norm, by whether a normed convolution has a bias."""
    return "instance" if first_bias in tensors else "batch"


# ---------------------------------------------------------------- ResNet


def read_resnet(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    """A row: padding, first layer, halvings, residual blocks, doublings, padding, last layer."""
    matches = [match for name in tensors if (match := re.fullmatch(BLOCK_PATTERN, name))]
    places = sorted({int(match[1]) for match in matches})
    has_dropout = any(match[2] == "6" and match[3] == "weight" and tensors[match[0]].dim() == 4 for match in matches)
    is_antialiased = not any(name.startswith("model.7.") for name in tensors)  # a blur, without weights
    row = ResNetRow(places[0], len(places), 4 if is_antialiased else 3, has_dropout)
    state = rename_layers(tensors, row.name_layers(), "a ResNet generator")
    if "layers.last.weight" not in state:
        raise GanvasError("a ResNet generator without its last layer is not supported: convert the whole file")
    first, last = tensors["model.1.weight"], state["layers.last.weight"]
    design = ResNet(
        width=len(first),
        halvings=row.halvings,
        blocks=row.blocks,
        norm=infer_norm("model.1.bias", tensors),
        antialiased=is_antialiased,
        dropout=has_dropout,
    )
    return RenamedNetwork("ResNet, from CycleGAN, CUT or pix2pixHD", design, first.shape[1], len(last), state)


class ResNetRow(NamedTuple):
    """How the row of layers is numbered.

    start: the number of the first residual block.
    step: layers from one halving to the next: convolution, norm, ReLU, and a blur if it is antialiased.
    """

    start: int
    blocks: int
    step: int
    has_dropout: bool  # in each block, which shifts what follows it by one

    @property
    def halvings(self) -> int:
        return (self.start - FIRST_HALVING) // self.step

    def name_layers(self) -> dict[str, str]:
        """Our name of each of their layers."""
        first_up = self.start + self.blocks + self.step - 3  # an enlargement comes before the convolution
        names = {1: "first"}
        for k in range(self.halvings):
            names |= {FIRST_HALVING + self.step * k: f"down{k + 1}", first_up + self.step * k: f"up{k + 1}"}
        layers = {f"model.{place}": f"layers.{name}" for place, name in names.items()}
        layers |= {f"model.{place + 1}": f"layers.{name}_norm.0" for place, name in names.items()}
        layers[f"model.{self.start + self.blocks + self.step * self.halvings + 1}"] = "layers.last"
        second = 6 if self.has_dropout else 5
        parts = {1: "first", 2: "first_norm", second: "second", second + 1: "second_norm"}
        for k in range(self.blocks):
            layers |= {f"model.{self.start + k}.conv_block.{i}": f"layers.block{k + 1}.{part}" for i, part in parts.items()}
        return layers


# ---------------------------------------------------------------- U-Net


def read_unet(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    layer_names = {name.rpartition(".")[0] for name in tensors}
    names = {layer: name_unet_layer(layer) for layer in layer_names}
    state = rename_layers(tensors, names, "a U-Net")
    depth = sum(bool(re.fullmatch(r"downs\.\d+\.weight", name)) for name in state)
    norm = infer_norm("downs.1.bias", state)
    first = state["downs.0.weight"]
    design = UNet(width=len(first), depth=depth, norm=norm, dropout=norm == "batch")  # as in pix2pix; a file cannot show it
    return RenamedNetwork("U-Net, from pix2pix", design, first.shape[1], state["ups.0.weight"].shape[1], state)


def name_unet_layer(layer: str) -> str:
    """Our name; their levels are nested, ours count. The smallest level has no norm on the way down, which shifts the rest."""
    match = re.fullmatch(r"model\.model\.(?:(1\.model\.(?:3\.model\.)*))?(\d+)", layer)
    if not match:
        raise GanvasError(f"U-Nets with a layer {layer} are not supported: published ones have none")
    level, index = (match[1] or "").count("model."), int(match[2])
    kinds = LARGEST_LEVEL if level == 0 else OTHER_LEVELS
    if index not in kinds:
        raise GanvasError(f"U-Nets with a layer {layer} are not supported: published ones have none")
    return f"{kinds[index]}.{level}"


# ---------------------------------------------------------------- critics and heads


def read_patchgan(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    convolutions = sorted(
        int(name.split(".")[1]) for name, value in tensors.items() if name.endswith(".weight") and value.dim() == 4
    )
    layers = len(convolutions) - 2
    is_antialiased = layers > 0 and convolutions[1] == 3
    names = {f"model.{index}": f"blocks.{k}.0" for k, index in enumerate(convolutions)}
    names |= {f"model.{index + 1}": f"blocks.{k}.1" for k, index in enumerate(convolutions[:-1])}
    names[f"model.{convolutions[-1]}"] = "last"
    state = rename_layers(tensors, names, "a PatchGAN discriminator")
    first = tensors["model.0.weight"]
    norm = infer_norm(f"model.{convolutions[1]}.bias", tensors)
    design = PatchGAN(width=len(first), layers=layers, norm=norm, antialiased=is_antialiased)
    return RenamedNetwork("PatchGAN, from pix2pix, CycleGAN or CUT", design, first.shape[1], first.shape[1], state)


def read_pixelgan(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    names = {"net.0": "first", "net.2": "second", "net.3": "norm", "net.5": "last"}
    first = tensors["net.0.weight"]
    design = PixelGAN(width=len(first), norm=infer_norm("net.2.bias", tensors))
    state = rename_layers(tensors, names, "a PixelGAN discriminator")
    return RenamedNetwork("PixelGAN, from pix2pix", design, first.shape[1], first.shape[1], state)


def rename_head_weights(tensors: Mapping[str, Tensor], features: Iterable[str]) -> dict[str, Tensor]:
    """CUT's projection head; `features` are our names of the layers of the translator, in the file's order."""
    names = {f"mlp_{k}.{index}": f"projections.{name}.{index}" for k, name in enumerate(features) for index in (0, 2)}
    return rename_layers(drop_extra_tensors(tensors), names, "CUT's projection head")
