"""StyleGAN2 as rosinality's stylegan2-pytorch saves it: {"g": …, "d": …, "g_ema": …}, or one state dict of these."""

import re

from torch import Tensor

from ...nets import StyleGAN2
from . import ConvertedNetwork, FileNetwork, infer_width_and_base


def read(network: FileNetwork) -> ConvertedNetwork | None:
    tensors = network.tensors
    if "input.input" not in tensors or "conv1.conv.modulation.weight" not in tensors:
        return None
    count = sum(bool(re.fullmatch(r"to_rgbs\.\d+\.bias", name)) for name in tensors)
    sizes = {4: tensors["conv1.conv.weight"].shape[1]}
    sizes |= {8 * 2**k: tensors[f"convs.{2 * k}.conv.weight"].shape[1] for k in range(count)}
    width, base_channels = infer_width_and_base(sizes, "StyleGAN2 generators")
    w_dim = len(tensors["style.1.bias"])
    layers = sum(bool(re.fullmatch(r"style\.\d+\.bias", name)) for name in tensors)
    nets = StyleGAN2(
        z_dim=tensors["style.1.weight"].shape[1], w_dim=w_dim, mapping=layers, width=width, base=base_channels, mixing=0.0
    )
    channels, size = tensors["to_rgb1.bias"].shape[1], max(sizes)
    state = {name: value for name, value in (convert_rosinality_weight(n, v) for n, v in tensors.items()) if name}
    if "latent_avg" in network.settings:  # a tensor next to the weights, in converted files
        state["mapping.middle"] = network.settings["latent_avg"].flatten()
    return ConvertedNetwork("StyleGAN2, from rosinality's code", "stylegan2", nets, (channels, size, size), 0, "G", state)


def convert_rosinality_weight(name: str, value: Tensor) -> tuple[str, Tensor]:
    """Our name and shape; "" for a tensor that follows from the rest."""
    if name == "input.input":
        return "start", value.squeeze(0)
    match = re.fullmatch(r"style\.(\d+)\.(weight|bias)", name)
    if match:
        return f"mapping.layers.{int(match[1]) - 1}.{match[2]}", value
    match = re.fullmatch(r"noises\.noise_(\d+)", name)
    if match:
        return f"{name_layer(int(match[1]))}.still", value[0, 0]
    match = re.fullmatch(r"(conv1|convs\.(\d+)|to_rgb1|to_rgbs\.(\d+))\.(.*)", name)
    if not match:
        return "", value
    is_image = match[1].startswith("to_rgb")
    layer_name = (
        f"to_image.{int(match[3]) + 1 if match[3] else 0}" if is_image else name_layer(int(match[2]) + 1 if match[2] else 0)
    )
    leaf = match[4]
    if leaf == "conv.weight":
        return f"{layer_name}.{'weight' if is_image else 'convolution.weight'}", value.squeeze(0)
    if leaf in ("conv.modulation.weight", "conv.modulation.bias"):
        return f"{layer_name}.style.{leaf.rpartition('.')[2]}", value
    if leaf == "noise.weight":
        return f"{layer_name}.strength", value.squeeze()
    if leaf in ("activate.bias", "bias"):
        return f"{layer_name}.bias", value.flatten()
    return "", value  # filters


def name_layer(k: int) -> str:
    """The k-th convolution: one at 4 px, then two per size; the first of two doubles the size."""
    return "first" if k == 0 else f"{'ups' if k % 2 else 'evens'}.{(k - 1) // 2}"
