"""LaMa's generator by the names of its authors' code: a numbered row of layers."""

import re
from collections.abc import Mapping

from torch import Tensor

from ...nets import LaMa
from .renaming import RenamedNetwork, RenameRule, find_numbers, rename_weights

FFC_NAMES: tuple[tuple[str, str], ...] = (  # inside a fast Fourier convolution with its norms
    (r"ffc\.convl2l\.(.*)", r"near_to_near.\1"),
    (r"ffc\.convl2g\.(.*)", r"near_to_far.\1"),
    (r"ffc\.convg2l\.(.*)", r"far_to_near.\1"),
    (r"ffc\.convg2g\.conv1\.0\.(.*)", r"far_to_far.first.\1"),
    (r"ffc\.convg2g\.conv1\.1\.(.*)", r"far_to_far.norm.\1"),
    (r"ffc\.convg2g\.fu\.conv_layer\.(.*)", r"far_to_far.unit.conv.\1"),
    (r"ffc\.convg2g\.fu\.bn\.(.*)", r"far_to_far.unit.norm.\1"),
    (r"ffc\.convg2g\.conv2\.(.*)", r"far_to_far.last.\1"),
    (r"bn_l\.(.*)", r"near_norm.\1"),
    (r"bn_g\.(.*)", r"far_norm.\1"),
)


def convert_lama(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    """The row: padding, first layer, halvings, residual blocks, joining, three layers a doubling, padding, last layer."""
    tensors = {re.sub(r"^(generator\.)?model\.", "", name): value for name, value in tensors.items()}
    levels = len(find_numbers(tensors, r"(\d+)\.(?:ffc|bn_[lg])\..*")) - 1
    blocks = len(find_numbers(tensors, r"(\d+)\.conv1\..*"))
    first_up = levels + blocks + 3

    def name_place(place: int) -> str:
        if place == 1:
            return "first"
        if place < levels + 2:
            return f"downs.{place - 2}"
        return f"ups.{place - first_up}" if place < first_up + 3 * levels else "last"

    rules: list[RenameRule] = [
        (rf"{levels + 2 + k}\.conv{part}\.{theirs}", f"body.{k}.{ours}.{leaf}")
        for k in range(blocks)
        for part, ours in ((1, "first"), (2, "second"))
        for theirs, leaf in FFC_NAMES
    ]
    rules += [
        (rf"{place}\.{theirs}", f"{name_place(place)}.{leaf}") for place in range(1, levels + 2) for theirs, leaf in FFC_NAMES
    ]
    rules.append((r"(\d+)\.([a-z_]+)", lambda match: f"{name_place(int(match[1]))}.{match[2]}"))
    far, near = (len(tensors[f"{levels + 2}.conv1.bn_{part}.weight"]) for part in "gl")
    design = LaMa(width=len(tensors["1.bn_l.weight"]), levels=levels, blocks=blocks, global_share=far / (far + near))
    state = rename_weights(tensors, rules, "LaMa")
    channels = len(state["last.bias"])
    return RenamedNetwork("LaMa, from its authors' code", design, channels, channels, state)
