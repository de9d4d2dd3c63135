"""Networks that make a picture, a row of a table and a sentence together."""

from dataclasses import replace

from torch import nn

from ...configuration import config
from ...core import Spec
from ..compact import compute_compact_widths
from ..layers.labels import check_widths, read_image_grid
from ..projected import Projected, compute_pyramid_shapes
from .critics import FeatureFitCritic, FitCritic, WordsCritic
from .generator import TogetherGenerator
from .layout import read_part_layout


@config
class TogetherNets:
    """G; D on the picture and its fit to the words; D_features the same on a classifier's features; D_words on words alone.

    Without a picture, D sees the words. D_words and D_features are there if there is something for them to see.

    picture: sizes of the networks of pictures, and of z.
    width: of G's trunk and of the critic of words.
    """

    picture: Projected = Projected()
    width: int = 128

    def __post_init__(self) -> None:
        check_widths(width=self.width)

    def build(self, spec: Spec) -> nn.ModuleDict:
        layout, sizes = read_part_layout(spec), self.picture
        nets = nn.ModuleDict({"G": TogetherGenerator(layout, sizes, self.width)})
        if not layout.picture:
            nets["D"] = WordsCritic(layout, self.width)
            return nets
        _, grid, levels = read_image_grid(spec._replace(shape=layout.picture), "TogetherNets")
        nets["D"] = FitCritic(layout, compute_compact_widths(sizes.d_width, sizes.cap, levels)[::-1], grid)
        shapes = compute_pyramid_shapes(*layout.picture[1:])
        nets["D_features"] = FeatureFitCritic(layout, shapes, sizes.f_width)
        if layout.words:
            nets["D_words"] = WordsCritic(layout, self.width)
        return nets

    def smallest(self) -> "TogetherNets":
        return replace(self, picture=self.picture.smallest(), width=4)
