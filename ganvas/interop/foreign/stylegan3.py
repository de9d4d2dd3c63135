"""StyleGAN3, T and R, as NVIDIA's stylegan3 writes it (.pkl, or a plain state dict of their names)."""

import re

from ...errors import GanvasError
from ...nets import StyleGAN3, stylegan3
from . import Found, Taken
from .stylegan2 import styled

LAYER = r"synthesis\.(L(\d+)_(\d+)_(\d+))\.(.*)"
PARTS = (("synthesis.input.affine", "input.pose"), ("freqs", "frequencies"), ("synthesis.", ""))
LEAVES = (("magnitude_ema", "magnitude"), ("up_filter", "up"), ("down_filter", "down"))


def read(found: Found) -> Taken | None:
    tensors = found.tensors
    if "synthesis.input.freqs" not in tensors:
        return None
    named = sorted({(int(m[2]), m[1]) for m in (re.match(LAYER, name) for name in tensors) if m})
    kernel = tensors[f"synthesis.{named[0][1]}.weight"].shape[2]
    classes = tensors["mapping.embed.weight"].shape[1] if "mapping.embed.weight" in tensors else 0
    w_dim = len(tensors["mapping.fc0.bias"])
    mapping = sum(bool(re.fullmatch(r"mapping\.fc\d+\.bias", name)) for name in tensors)
    size, channels = (int(n) for n in named[-1][1].split("_")[1:])
    rotation = kernel == 1
    width, base = widths(found, size, channels, named, 2 if rotation else 1)
    z_dim = tensors["mapping.fc0.weight"].shape[1] - (w_dim if classes else 0)
    nets = StyleGAN3(
        z_dim=z_dim, w_dim=w_dim, mapping=mapping, layers=len(named) - 1, width=width, base=base, rotation=rotation
    )
    layers = {theirs: f"body.{k}" for k, theirs in named}
    state = {ours(name, layers): value for name, value in tensors.items()}
    which = "R" if rotation else "T"
    return Taken(f"StyleGAN3-{which}, of NVIDIA's code", "stylegan3_r" if rotation else "stylegan3_t", nets,
                 (channels, size, size), classes, "G", state)  # fmt: skip


def widths(found: Found, size: int, channels: int, named: list[tuple[int, str]], twice: int) -> tuple[int, int]:
    """(width, base): as the file says, else the ones of which the layers' widths follow."""
    there = [len(found.tensors[f"synthesis.{name}.bias"]) for _, name in named]
    most = max(there)
    said = [int(found.settings[key]) for key in ("channel_base", "channel_max") if key in found.settings]
    guesses = [tuple(said)] if len(said) == 2 else [(2**k, most) for k in range(5, 20)]
    for base, width in guesses:
        bands = stylegan3.bands(size, len(named) - 1, base, width, channels)
        if [band.channels for band in bands] == there and base % twice == width % twice == 0:
            return width // twice, base // twice
    raise GanvasError(f"StyleGAN3 with layers of {there} channels is not known here: no power of two is their base")


def ours(name: str, layers: dict[str, str]) -> str:
    name = name.replace(*PARTS[0]).replace(*PARTS[1])
    found = re.match(LAYER, name)
    name = styled(f"{layers[found[1]]}.{found[5]}" if found else name.replace(*PARTS[2]))
    for theirs, mine in LEAVES:
        name = name.replace(theirs, mine)
    return name
