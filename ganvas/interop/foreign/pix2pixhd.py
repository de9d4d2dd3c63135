"""pix2pixHD's global generator and critics by the names of the authors' code."""

import re
from collections.abc import Mapping

from torch import Tensor

from ...nets import GlobalGenerator, ScalesCritic
from .renaming import STATISTICS, RenamedNetwork, RenameRule, find_numbers, rename_weights, shift_number

BLOCK = r"model\.(\d+)\.conv_block\."
SCALE_LAYER = r"scale(\d+)_layer(\d+)\.0\.(.*)"


def convert_global_generator(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    """The row: padding, first layer, three layers a halving, residual blocks, three a doubling, padding, last layer."""
    tensors = {name: value for name, value in tensors.items() if not re.fullmatch(STATISTICS, name)}
    places = find_numbers(tensors, BLOCK + ".*")
    levels, blocks = (places[0] - 4) // 3, len(places)
    widths = [len(tensors[f"model.{place}.bias"]) for place in (1, *(4 + 3 * k for k in range(levels)))]
    after_body = places[-1] + 1
    rules: list[RenameRule] = [
        (r"model\.1\.(.*)", r"first.0.\1"),
        (BLOCK + r"1\.(.*)", shift_number("body.{k}.layers.0.{leaf}", -places[0])),
        (BLOCK + r"[56]\.(.*)", shift_number("body.{k}.layers.3.{leaf}", -places[0])),
        *((rf"model\.({4 + 3 * k})\.(.*)", shift_number("downs.{k}.{leaf}", -4)) for k in range(levels)),
        *((rf"model\.({after_body + 3 * k})\.(.*)", shift_number("ups.{k}.{leaf}", -after_body)) for k in range(levels)),
        (rf"model\.{after_body + 3 * levels + 1}\.(.*)", r"last.\1"),
    ]
    nets = GlobalGenerator(width=widths[0], cap=max(widths), levels=levels, blocks=blocks)
    return RenamedNetwork("pix2pixHD's global generator", nets, rename_weights(tensors, rules, "pix2pixHD"))


def convert_scales_critic(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    """The critics of several scales: theirs are numbered from the smallest picture, ours from the largest."""
    tensors = {name: value for name, value in tensors.items() if not re.fullmatch(STATISTICS, name)}
    scales = len(find_numbers(tensors, SCALE_LAYER))
    last = find_numbers(tensors, r"scale0_layer(\d+)\.0\..*")[-1]

    def name_layer_weight(match: re.Match[str]) -> str:
        place = "" if int(match[2]) == last else ".0"
        return f"scales.{scales - 1 - int(match[1])}.layers.{match[2]}{place}.{match[3]}"

    nets = ScalesCritic(width=len(tensors["scale0_layer0.0.bias"]), halvings=last - 1, scales=scales)
    state = rename_weights(tensors, [(SCALE_LAYER, name_layer_weight)], "pix2pixHD's critics")
    return RenamedNetwork("pix2pixHD's critics", nets, state)
