"""StyleGAN2 as NVIDIA's stylegan2-ada-pytorch and stylegan3 save it (.pkl, or a plain state dict of their names)."""

import re

from ...errors import GanvasError
from ...nets import StyleGAN2
from . import ConvertedNetwork, FileNetwork, infer_width_and_base

G_LEAF_NAMES = {"weight": "convolution.weight", "noise_strength": "strength", "noise_const": "still"}
D_BLOCK_NAMES = {"conv0": "first", "conv1": "second", "skip": "beside"}
D_END_NAMES = {"fromrgb": "from_image", "conv": "end", "fc": "dense", "out": "last"}


def read(network: FileNetwork) -> ConvertedNetwork | None:
    if "synthesis.b4.const" in network.tensors:
        return convert_stylegan2_generator(network)
    if "b4.conv.weight" in network.tensors and "b4.out.weight" in network.tensors:
        return convert_stylegan2_discriminator(network)
    return None


def convert_stylegan2_generator(network: FileNetwork) -> ConvertedNetwork:
    tensors = network.tensors
    if any(".skip." in name for name in tensors):
        raise GanvasError("a residual StyleGAN2 generator is not supported: published ones have skip connections")
    sizes = {int(m[1]): len(tensors[m[0]]) for m in (re.fullmatch(r"synthesis\.b(\d+)\.conv1\.bias", n) for n in tensors) if m}
    classes = tensors["mapping.embed.weight"].shape[1] if "mapping.embed.weight" in tensors else 0
    w_dim = len(tensors["mapping.fc0.bias"])
    layers = sum(bool(re.fullmatch(r"mapping\.fc\d+\.bias", name)) for name in tensors)
    z_dim = tensors["mapping.fc0.weight"].shape[1] - (w_dim if classes else 0)
    width, base_channels = infer_width_and_base(sizes, "StyleGAN2 generators")
    nets = StyleGAN2(z_dim=z_dim, w_dim=w_dim, mapping=layers, width=width, base=base_channels, mixing=0.0)
    size = max(sizes)
    channels = len(tensors[f"synthesis.b{size}.torgb.bias"])
    state = {rename_stylegan2_g_weight(name): value for name, value in tensors.items() if "resample_filter" not in name}
    return ConvertedNetwork("StyleGAN2, from NVIDIA's code", "stylegan2", nets, (channels, size, size), classes, "G", state)


def convert_stylegan2_discriminator(network: FileNetwork) -> ConvertedNetwork:
    tensors = network.tensors
    sizes = {int(m[1]): tensors[m[0]].shape[1] for m in (re.fullmatch(r"b(\d+)\.conv0\.weight", n) for n in tensors) if m}
    sizes[4] = tensors["b4.conv.weight"].shape[0]
    width, base_channels = infer_width_and_base(sizes, "StyleGAN2 discriminators")
    size = max(sizes)
    classes = tensors["mapping.embed.weight"].shape[1] if "mapping.embed.weight" in tensors else 0
    channels = tensors[f"b{size}.fromrgb.weight"].shape[1]
    state = {rename_stylegan2_d_weight(name, size): value for name, value in tensors.items() if "resample_filter" not in name}
    label_layers = sum(bool(re.fullmatch(r"mapping\.fc\d+\.bias", name)) for name in tensors)
    label_width = len(tensors["b4.out.bias"]) if classes else None
    nets = StyleGAN2(width=width, base=base_channels, d_mapping=label_layers or None, d_w_dim=label_width)
    return ConvertedNetwork("StyleGAN2's D, from NVIDIA's code", "stylegan2", nets, (channels, size, size), classes, "D", state)


def rename_style_weight(name: str) -> str:
    """Our name for weights that all style networks share."""
    name = (
        name.replace("mapping.w_avg", "mapping.middle").replace("mapping.embed.", "mapping.label.").replace("affine.", "style.")
    )
    return re.sub(r"mapping\.fc(\d)", r"mapping.layers.\1", name)


def rename_stylegan2_g_weight(name: str) -> str:
    name = rename_style_weight(name)
    match = re.match(r"synthesis\.b(\d+)\.(conv0|conv1|torgb)\.(.*)", name)
    if not match:
        return name.replace("synthesis.b4.const", "start")
    level, kind, leaf = int(match[1]).bit_length() - 3, match[2], match[3]
    even = "first" if level == 0 else f"evens.{level - 1}"
    layer = {"conv0": f"ups.{level - 1}", "conv1": even, "torgb": f"to_image.{level}"}[kind]
    return f"{layer}.{leaf if kind == 'torgb' else G_LEAF_NAMES.get(leaf, leaf)}"


def rename_stylegan2_d_weight(name: str, largest: int) -> str:
    """Our name; D's blocks count from the image's size down."""
    name = re.sub(r"^mapping\.", "label.", rename_style_weight(name))
    match = re.match(r"b(\d+)\.(\w+)\.(.*)", name)
    if not match:
        return name
    size, kind, leaf = int(match[1]), match[2], match[3]
    if kind in D_END_NAMES:
        return f"{D_END_NAMES[kind]}.{leaf}"
    return f"blocks.{(largest // size).bit_length() - 1}.{D_BLOCK_NAMES[kind]}.{leaf}"
