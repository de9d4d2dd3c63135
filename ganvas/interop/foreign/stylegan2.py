"""StyleGAN2 as NVIDIA's stylegan2-ada-pytorch and stylegan3 write it (.pkl, or a plain state dict of their names)."""

import re

from ...errors import GanvasError
from ...nets import StyleGAN2
from . import Found, Taken, base

G_LAYERS = {"weight": "convolution.weight", "noise_strength": "strength", "noise_const": "still"}
D_BLOCKS = {"conv0": "first", "conv1": "second", "skip": "beside"}
D_ENDS = {"fromrgb": "from_image", "conv": "end", "fc": "dense", "out": "last"}


def read(found: Found) -> Taken | None:
    if "synthesis.b4.const" in found.tensors:
        return generator(found)
    if "b4.conv.weight" in found.tensors and "b4.out.weight" in found.tensors:
        return discriminator(found)
    return None


def generator(found: Found) -> Taken:
    tensors = found.tensors
    if any(".skip." in name for name in tensors):
        raise GanvasError("a StyleGAN2 generator of the residual kind is not known here: published ones are of the skip kind")
    sizes = {int(m[1]): len(tensors[m[0]]) for m in (re.fullmatch(r"synthesis\.b(\d+)\.conv1\.bias", n) for n in tensors) if m}
    classes = tensors["mapping.embed.weight"].shape[1] if "mapping.embed.weight" in tensors else 0
    w_dim = len(tensors["mapping.fc0.bias"])
    layers = sum(bool(re.fullmatch(r"mapping\.fc\d+\.bias", name)) for name in tensors)
    z_dim = tensors["mapping.fc0.weight"].shape[1] - (w_dim if classes else 0)
    width, most = base(sizes, "StyleGAN2 generators")
    nets = StyleGAN2(z_dim=z_dim, w_dim=w_dim, mapping=layers, width=width, base=most, mixing=0.0)
    size = max(sizes)
    channels = len(tensors[f"synthesis.b{size}.torgb.bias"])
    state = {g_name(name): value for name, value in tensors.items() if "resample_filter" not in name}
    return Taken("StyleGAN2, of NVIDIA's code", "stylegan2", nets, (channels, size, size), classes, "G", state)


def discriminator(found: Found) -> Taken:
    tensors = found.tensors
    sizes = {int(m[1]): tensors[m[0]].shape[1] for m in (re.fullmatch(r"b(\d+)\.conv0\.weight", n) for n in tensors) if m}
    sizes[4] = tensors["b4.conv.weight"].shape[0]
    width, most = base(sizes, "StyleGAN2 discriminators")
    size = max(sizes)
    classes = tensors["mapping.embed.weight"].shape[1] if "mapping.embed.weight" in tensors else 0
    channels = tensors[f"b{size}.fromrgb.weight"].shape[1]
    state = {d_name(name, size): value for name, value in tensors.items() if "resample_filter" not in name}
    nets = StyleGAN2(width=width, base=most)
    return Taken("StyleGAN2's D, of NVIDIA's code", "stylegan2", nets, (channels, size, size), classes, "D", state)


def styled(name: str) -> str:
    """Our name of what the style networks' mapping and layers have in common."""
    name = (
        name.replace("mapping.w_avg", "mapping.middle").replace("mapping.embed.", "mapping.label.").replace("affine.", "style.")
    )
    return re.sub(r"mapping\.fc(\d)", r"mapping.layers.\1", name)


def g_name(name: str) -> str:
    name = styled(name)
    found = re.match(r"synthesis\.b(\d+)\.(conv0|conv1|torgb)\.(.*)", name)
    if not found:
        return name.replace("synthesis.b4.const", "start")
    level, kind, leaf = int(found[1]).bit_length() - 3, found[2], found[3]
    even = "first" if level == 0 else f"evens.{level - 1}"
    layer = {"conv0": f"ups.{level - 1}", "conv1": even, "torgb": f"to_image.{level}"}[kind]
    return f"{layer}.{leaf if kind == 'torgb' else G_LAYERS.get(leaf, leaf)}"


def d_name(name: str, largest: int) -> str:
    """Our name; D's blocks are counted from the image's size."""
    name = re.sub(r"^mapping\.", "label.", styled(name))
    found = re.match(r"b(\d+)\.(\w+)\.(.*)", name)
    if not found:
        return name
    size, kind, leaf = int(found[1]), found[2], found[3]
    if kind in D_ENDS:
        return f"{D_ENDS[kind]}.{leaf}"
    return f"blocks.{(largest // size).bit_length() - 1}.{D_BLOCKS[kind]}.{leaf}"
