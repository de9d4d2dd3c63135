"""StyleGAN3, T and R, as NVIDIA's stylegan3 saves it (.pkl, or a plain state dict of their names)."""

import re

from ...errors import GanvasError
from ...nets import StyleGAN3, stylegan3
from . import ConvertedNetwork, FileNetwork
from .stylegan2 import rename_style_weight

SYNTHESIS_LAYER_PATTERN = r"synthesis\.(L(\d+)_(\d+)_(\d+))\.(.*)"
PART_REPLACEMENTS = (("synthesis.input.affine", "input.pose"), ("freqs", "frequencies"), ("synthesis.", ""))
LEAF_REPLACEMENTS = (("magnitude_ema", "magnitude"), ("up_filter", "up"), ("down_filter", "down"))


def read(network: FileNetwork) -> ConvertedNetwork | None:
    tensors = network.tensors
    if "synthesis.input.freqs" not in tensors:
        return None
    layer_names = sorted({(int(m[2]), m[1]) for m in (re.match(SYNTHESIS_LAYER_PATTERN, name) for name in tensors) if m})
    kernel = tensors[f"synthesis.{layer_names[0][1]}.weight"].shape[2]
    classes = tensors["mapping.embed.weight"].shape[1] if "mapping.embed.weight" in tensors else 0
    w_dim = len(tensors["mapping.fc0.bias"])
    mapping = sum(bool(re.fullmatch(r"mapping\.fc\d+\.bias", name)) for name in tensors)
    size, channels = (int(n) for n in layer_names[-1][1].split("_")[1:])
    has_rotation = kernel == 1
    width, base = infer_stylegan3_widths(network, size, channels, layer_names, 2 if has_rotation else 1)
    z_dim = tensors["mapping.fc0.weight"].shape[1] - (w_dim if classes else 0)
    nets = StyleGAN3(
        z_dim=z_dim, w_dim=w_dim, mapping=mapping, layers=len(layer_names) - 1, width=width, base=base, rotation=has_rotation
    )
    layers = {theirs: f"body.{k}" for k, theirs in layer_names}
    state = {rename_stylegan3_weight(name, layers): value for name, value in tensors.items()}
    variant = "R" if has_rotation else "T"
    return ConvertedNetwork(f"StyleGAN3-{variant}, from NVIDIA's code", "stylegan3_r" if has_rotation else "stylegan3_t", nets,
                 (channels, size, size), classes, "G", state)  # fmt: skip


def infer_stylegan3_widths(
    network: FileNetwork, size: int, channels: int, layer_names: list[tuple[int, str]], width_factor: int
) -> tuple[int, int]:
    """(width, base): from the file's settings, else those that give the layers' widths."""
    layer_channels = [len(network.tensors[f"synthesis.{name}.bias"]) for _, name in layer_names]
    max_channels = max(layer_channels)
    file_settings = [int(network.settings[key]) for key in ("channel_base", "channel_max") if key in network.settings]
    guesses = [tuple(file_settings)] if len(file_settings) == 2 else [(2**k, max_channels) for k in range(5, 20)]
    for base, width in guesses:
        bands = stylegan3.compute_bands(size, len(layer_names) - 1, base, width, channels)
        if [band.channels for band in bands] == layer_channels and base % width_factor == width % width_factor == 0:
            return width // width_factor, base // width_factor
    raise GanvasError(f"StyleGAN3 with layers of {layer_channels} channels is not supported: no power of two is their `base`")


def rename_stylegan3_weight(name: str, layers: dict[str, str]) -> str:
    name = name.replace(*PART_REPLACEMENTS[0]).replace(*PART_REPLACEMENTS[1])
    match = re.match(SYNTHESIS_LAYER_PATTERN, name)
    name = rename_style_weight(f"{layers[match[1]]}.{match[5]}" if match else name.replace(*PART_REPLACEMENTS[2]))
    for theirs, mine in LEAF_REPLACEMENTS:
        name = name.replace(theirs, mine)
    return name
