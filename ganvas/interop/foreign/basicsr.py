"""Networks of super-resolution by the names of BasicSR's code and of ESRGAN's older code; critics by BasicSR's names."""

import re
from collections.abc import Mapping

from torch import Tensor

from ...nets import SRVGG, MSRResNet, RRDBNet, UNetCritic, VGGCritic
from .renaming import RenamedNetwork, RenameRule, find_numbers, rename_weights

MSRRESNET_RULES: tuple[RenameRule, ...] = (
    (r"conv_first\.(.*)", r"first.\1"),
    (r"body\.(\d+)\.conv1\.(.*)", r"body.\1.first.\2"),
    (r"body\.(\d+)\.conv2\.(.*)", r"body.\1.second.\2"),
    (r"upconv(\d)\.(.*)", lambda match: f"ups.{int(match[1]) - 1}.0.{match[2]}"),
    (r"conv_hr\.(.*)", r"even.\1"),
    (r"conv_last\.(.*)", r"last.\1"),
)
RRDBNET_ENDS = {  # the convolutions outside the blocks: BasicSR's names, ESRGAN's, and those of its first release
    "first": r"conv_first|model\.0",
    "ups.0": r"conv_up1|upconv1|model\.3",
    "ups.1": r"conv_up2|upconv2|model\.6",
    "even": r"conv_hr|HRconv|model\.8",
    "last": r"conv_last|model\.10",
}
RRDBNET_BLOCK = r"(?:body|RRDB_trunk|model\.1\.sub)\.(\d+)\.(?:rdb|RDB)(\d)\.conv(\d)\.(?:0\.)?(.*)"
RRDBNET_BODY_END = r"(?:conv_body|trunk_conv|model\.1\.sub\.\d+)\.(weight|bias)"
UNET_LAYERS = ("first", "downs.0", "downs.1", "downs.2", "ups.0", "ups.1", "ups.2", "evens.0", "evens.1", "last")
UNET_LEAVES = {
    "weight_orig": "parametrizations.weight.original",
    "weight_u": "parametrizations.weight.0.u",
    "weight_v": "parametrizations.weight.0.v",
}


def convert_msrresnet(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    width, channels = tensors["conv_first.weight"].shape[:2]
    factor = round((tensors["upconv1.weight"].shape[0] / width) ** 0.5) if "upconv1.weight" in tensors else 1
    design = MSRResNet(
        width=width,
        blocks=len(find_numbers(tensors, r"body\.(\d+)\..*")),
        scale=factor**2 if "upconv2.weight" in tensors else factor,  # type: ignore[arg-type]
    )
    origin = f"MSRResNet of {channels} channels, from BasicSR"
    return RenamedNetwork(origin, design, channels, channels, rename_weights(tensors, MSRRESNET_RULES, origin))


def convert_rrdbnet(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    """RRDBNet under any of the three names that its authors gave its weights."""
    blocks = len(find_numbers(tensors, RRDBNET_BLOCK))
    rules: list[RenameRule] = [(rf"(?:{theirs})\.(weight|bias)", rf"{ours}.\1") for ours, theirs in RRDBNET_ENDS.items()]
    rules += [(RRDBNET_BLOCK, name_dense_layer), (RRDBNET_BODY_END, rf"body.{blocks}.\1")]
    state = rename_weights(tensors, rules, "RRDBNet")
    width, folded_channels = state["first.weight"].shape[:2]
    channels = len(state["last.bias"])
    folding = round((folded_channels / channels) ** 0.5)
    growth = state["body.0.blocks.0.layers.0.weight"].shape[0]
    design = RRDBNet(width=width, growth=growth, blocks=blocks, scale=4 // folding)  # type: ignore[arg-type]
    return RenamedNetwork("RRDBNet, from ESRGAN or Real-ESRGAN", design, folded_channels // folding**2, channels, state)


def name_dense_layer(match: re.Match[str]) -> str:
    return f"body.{match[1]}.blocks.{int(match[2]) - 1}.layers.{int(match[3]) - 1}.{match[4]}"


def convert_srvgg(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    """SRVGGNetCompact, whose layers are convolution, PReLU, …, convolution."""
    width, channels = tensors["body.0.weight"].shape[:2]
    last = find_numbers(tensors, r"body\.(\d+)\..*")[-1]
    scale = round((tensors[f"body.{last}.weight"].shape[0] / channels) ** 0.5)
    state = rename_weights(tensors, [(r"body\.(.*)", r"layers.\1")], "SRVGG")
    design = SRVGG(width=width, layers=last // 2 - 1, scale=scale)
    return RenamedNetwork("SRVGG, from Real-ESRGAN", design, channels, channels, state)


def convert_unet_critic(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    """UNetDiscriminatorSN. The order of v's numbers changes, because our rows are in the order of channels_last."""
    values = {
        name: reorder_right_vector(value, tensors[f"{name.removesuffix('v')}orig"]) if name.endswith("weight_v") else value
        for name, value in tensors.items()
    }
    state = rename_weights(values, [(r"conv(\d)\.(.*)", name_unet_weight)], "U-Net critic")
    width, channels = tensors["conv0.weight"].shape[:2]
    return RenamedNetwork("U-Net critic, from Real-ESRGAN", UNetCritic(width=width), channels, channels, state)


def name_unet_weight(match: re.Match[str]) -> str:
    return f"{UNET_LAYERS[int(match[1])]}.{UNET_LEAVES.get(match[2], match[2])}"


def reorder_right_vector(v: Tensor, weight: Tensor) -> Tensor:
    """v as [inputs, rows, columns] of a convolution's weight -> as [rows, columns, inputs], flat."""
    return v.view(weight.shape[1:]).movedim(0, -1).flatten()


def convert_vgg_critic(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    """VGGStyleDiscriminator: its first block has one norm less than the others."""
    rules: list[RenameRule] = [
        (r"conv0_0\.(.*)", r"blocks.0.0.\1"),
        (r"conv0_1\.(.*)", r"blocks.0.2.\1"),
        (r"bn0_1\.(.*)", r"blocks.0.3.\1"),
        (r"conv(\d)_([01])\.(.*)", lambda match: f"blocks.{match[1]}.{3 * int(match[2])}.{match[3]}"),
        (r"bn(\d)_([01])\.(.*)", lambda match: f"blocks.{match[1]}.{3 * int(match[2]) + 1}.{match[3]}"),
        (r"linear1\.(.*)", r"dense.\1"),
        (r"linear2\.(.*)", r"last.\1"),
    ]
    width, channels = tensors["conv0_0.weight"].shape[:2]
    design = VGGCritic(width=width, hidden=len(tensors["linear1.bias"]))
    return RenamedNetwork("VGG critic, from BasicSR", design, channels, channels, rename_weights(tensors, rules, "VGG critic"))
