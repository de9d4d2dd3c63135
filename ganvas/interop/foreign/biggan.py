"""BigGAN's G as BigGAN-PyTorch writes it: a plain state dict (.pth)."""

import re
from collections.abc import Callable

from ...errors import GanvasError
from ...nets import BigGAN
from ...nets.residual import G_WIDTHS, SMALL
from . import Found, Taken

Named = str | Callable[[re.Match[str]], str]
NAMES: tuple[tuple[str, Named], ...] = (  # ours for theirs, in this order
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


def read(found: Found) -> Taken | None:
    tensors = found.tensors
    if not {"linear.weight", "output_layer.0.gain", "blocks.0.0.conv1.weight"} <= set(tensors):
        return None
    if "shared.weight" not in tensors:
        raise GanvasError("BigGAN without a shared embedding (G_shared) is not known here")
    levels = 1 + max(int(m[1]) for m in (re.match(r"blocks\.(\d+)\.0\.", name) for name in tensors) if m)
    size = 4 * 2**levels
    first = tensors["blocks.0.0.conv1.weight"].shape[1]
    attended = [int(m[1]) for m in (re.match(r"blocks\.(\d+)\.1\.theta", name) for name in tensors) if m]
    if len(set(attended)) > 1:
        raise GanvasError("BigGAN with attention at several sizes is not known here")
    classes, shared = tensors["shared.weight"].shape
    own = tensors["linear.weight"].shape[1]
    told = tensors["blocks.0.0.bn1.gain.weight"].shape[1]
    if told != shared + own:
        raise GanvasError("BigGAN without a part of z for each block (hier) is not known here")
    nets = BigGAN(
        z_dim=own * (levels + 1),
        width=first // G_WIDTHS.get(size, (SMALL,))[0],
        shared=shared,
        attention=8 * 2 ** attended[0] if attended else 1,
    )
    channels = len(tensors["output_layer.2.bias"])
    kept = {name: value for name, value in tensors.items() if not name.endswith(".sv0")}  # which follow from the rest
    state = {ours(name): value.squeeze(0) if name.endswith(".u0") else value for name, value in kept.items()}
    return Taken("BigGAN, of BigGAN-PyTorch", "biggan", nets, (channels, size, size), classes, "G", state)


def ours(name: str) -> str:
    for pattern, mine in NAMES:
        name = re.sub(pattern, mine, name)
    module, _, leaf = name.rpartition(".")
    return f"{module}.parametrizations.weight.0.u" if leaf == "u0" else name
