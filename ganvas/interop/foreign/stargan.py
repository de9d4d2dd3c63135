"""StarGAN's two networks by their usual names."""

import re
from collections.abc import Mapping

from torch import Tensor

from ...nets import StarGAN
from .renaming import STATISTICS, RenamedNetwork, RenameRule, find_numbers, rename_weights

G_RULES: tuple[RenameRule, ...] = (
    (r"main\.(\d+)\.main\.0\.(.*)", r"layers.\1.first.\2"),
    (r"main\.(\d+)\.main\.1\.(.*)", r"layers.\1.norms.0.\2"),
    (r"main\.(\d+)\.main\.3\.(.*)", r"layers.\1.second.\2"),
    (r"main\.(\d+)\.main\.4\.(.*)", r"layers.\1.norms.1.\2"),
    (r"main\.(.*)", r"layers.\1"),
)
D_RULES: tuple[RenameRule, ...] = (
    (r"main\.(.*)", r"layers.\1"),
    (r"conv1\.(.*)", r"last.\1"),
    (r"conv2\.(.*)", r"classify.\1"),
)


def convert_stargan_generator(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    """G. Running statistics are left out: instance norm takes those of the picture, as in training."""
    tensors = {name: value for name, value in tensors.items() if not re.fullmatch(STATISTICS, name)}
    width, inputs = tensors["main.0.weight"].shape[:2]
    design = StarGAN(width=width, blocks=len(find_numbers(tensors, r"main\.(\d+)\.main\..*")))
    state = rename_weights(tensors, G_RULES, "StarGAN's G")
    last = find_numbers(tensors, r"main\.(\d+)\..*")[-1]
    return RenamedNetwork("StarGAN's G", design, inputs, len(state[f"layers.{last}.weight"]), state)


def convert_stargan_critic(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    """D. The convolution that classifies covers the whole map: it is a dense layer."""
    levels = len(find_numbers(tensors, r"main\.(\d+)\.weight"))
    values = {name: value.flatten(1) if name == "conv2.weight" else value for name, value in tensors.items()}
    width, channels = tensors["main.0.weight"].shape[:2]
    state = rename_weights(values, D_RULES, "StarGAN's D")
    return RenamedNetwork("StarGAN's D", StarGAN(d_width=width, d_levels=levels), channels, channels, state)
