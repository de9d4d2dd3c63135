"""pix2pixHD's critics by the names of the authors' code. Its global generator is a ResNet, with CycleGAN's names."""

import re
from collections.abc import Mapping

from torch import Tensor

from ...nets import ScalesCritic
from .renaming import STATISTICS, RenamedNetwork, find_numbers, rename_weights

SCALE_LAYER = r"scale(\d+)_layer(\d+)\.0\.(.*)"


def convert_scales_critic(tensors: Mapping[str, Tensor]) -> RenamedNetwork:
    """The critics of several scales: theirs are numbered from the smallest picture, ours from the largest."""
    tensors = {name: value for name, value in tensors.items() if not re.fullmatch(STATISTICS, name)}
    scales = len(find_numbers(tensors, SCALE_LAYER))
    last = find_numbers(tensors, r"scale0_layer(\d+)\.0\..*")[-1]

    def name_layer_weight(match: re.Match[str]) -> str:
        place = "" if int(match[2]) == last else ".0"
        return f"scales.{scales - 1 - int(match[1])}.layers.{match[2]}{place}.{match[3]}"

    width, channels = tensors["scale0_layer0.0.weight"].shape[:2]
    design = ScalesCritic(width=width, halvings=last - 1, scales=scales)
    state = rename_weights(tensors, [(SCALE_LAYER, name_layer_weight)], "pix2pixHD's critics")
    return RenamedNetwork("pix2pixHD's critics", design, channels, channels, state)
