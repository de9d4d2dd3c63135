"""BigGAN's G as BigGAN-PyTorch saves it: a plain state dict (.pth)."""

import re
from collections.abc import Callable

from ...errors import GanvasError
from ...nets import BigGAN
from ...nets.residual import G_WIDTH_FACTORS, SMALL_IMAGE_WIDTH_FACTOR
from . import ConvertedNetwork, FileNetwork

Replacement = str | Callable[[re.Match[str]], str]
BIGGAN_RENAMES: tuple[tuple[str, Replacement], ...] = (  # their name, our name; applied in this order
    (r"^output_layer\.0\.gain", "norm.weight"),
    (r"^output_layer\.0\.", "norm."),
    (r"^output_layer\.2\.", "last."),
    (r"^linear\.", "first."),
    (r"^blocks\.(\d)\.1\.", r"attention.\1."),
    (r"^blocks\.(\d)\.0\.", r"blocks.\1."),
    (r"\.conv1\.", ".first."),
    (r"\.conv2\.", ".second."),
    (r"\.conv_sc\.", ".beside."),
    (r"\.bn([12])\.stored", lambda m: f".norms.{int(m[1]) - 1}.norm.stored"),
    (r"\.bn([12])\.", lambda m: f".norms.{int(m[1]) - 1}."),
    (r"\.stored_", ".running_"),
)


def read(network: FileNetwork) -> ConvertedNetwork | None:
    tensors = network.tensors
    if not {"linear.weight", "output_layer.0.gain", "blocks.0.0.conv1.weight"} <= set(tensors):
        return None
    if "shared.weight" not in tensors:
        raise GanvasError("BigGAN without a shared embedding (G_shared) is not supported")
    levels = 1 + max(int(m[1]) for m in (re.match(r"blocks\.(\d+)\.0\.", name) for name in tensors) if m)
    size = 4 * 2**levels
    first_width = tensors["blocks.0.0.conv1.weight"].shape[1]
    attention_blocks = [int(m[1]) for m in (re.match(r"blocks\.(\d+)\.1\.theta", name) for name in tensors) if m]
    if len(set(attention_blocks)) > 1:
        raise GanvasError("BigGAN with attention at several sizes is not supported")
    classes, shared = tensors["shared.weight"].shape
    z_per_block = tensors["linear.weight"].shape[1]
    condition_size = tensors["blocks.0.0.bn1.gain.weight"].shape[1]
    if condition_size != shared + z_per_block:
        raise GanvasError("BigGAN without a part of z for each block (hier) is not supported")
    nets = BigGAN(
        z_dim=z_per_block * (levels + 1),
        width=first_width // G_WIDTH_FACTORS.get(size, (SMALL_IMAGE_WIDTH_FACTOR,))[0],
        shared_dim=shared,
        attention=8 * 2 ** attention_blocks[0] if attention_blocks else 1,
    )
    channels = len(tensors["output_layer.2.bias"])
    stored_tensors = {name: value for name, value in tensors.items() if not name.endswith(".sv0")}  # they follow from the rest
    state = {
        rename_biggan_weight(name): value.squeeze(0) if name.endswith(".u0") else value
        for name, value in stored_tensors.items()
    }
    return ConvertedNetwork("BigGAN, from BigGAN-PyTorch", "biggan", nets, (channels, size, size), classes, "G", state)


def rename_biggan_weight(name: str) -> str:
    for pattern, mine in BIGGAN_RENAMES:
        name = re.sub(pattern, mine, name)
    module, _, leaf = name.rpartition(".")
    return f"{module}.parametrizations.weight.0.u" if leaf == "u0" else name
