"""What a translation keeps of its source, in the features of a trained network, where no pairs say what is right.

Features of content after Gatys et al. 2016, section 2.1. Colours are removed first, so a translator is free to change them.
"""

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import LossInputs, Nets
from ..errors import GanvasError, require
from ..extractors.pair_distances import correlate_content
from ..extractors.perceptual import choose_feature_maps
from .generator_loss import GeneratorLoss


@config
class ContentLoss(GeneratorLoss):
    """weight times 1 - content, where content is the correlation of G's sample with its source, as the score of that name.

    The network is EfficientNet-Lite0. A translator that was trained with this loss is flattered by the score `content`.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")

    def state(self, nets: Nets) -> nn.Module | None:
        """Loads the network, so that missing weights show before the first step."""
        choose_feature_maps("efficientnet")(torch.device("cpu"))
        return None

    def term(self, inputs: LossInputs) -> Tensor | None:
        """[N], from 0 to about the weight. Raises GanvasError for data without sources, or with smaller ones."""
        source, x = inputs.batch.get("source"), inputs.fake.x
        if source is None or source.shape[2:] != x.shape[2:]:
            raise GanvasError("ContentLoss compares samples with sources of their size: give pairs or two folders of pictures")
        units = ((picture.float() + 1) / 2 for picture in (x, source))
        return self.weight * (1 - correlate_content(choose_feature_maps("efficientnet")(x.device), *units))
