"""Convolutional networks for windows of time series, which can complete windows that are partly known."""

from dataclasses import replace

from torch import nn

from ...configuration import config
from ...core import Spec
from ..layers.labels import check_widths
from .critic import WindowCritic
from .generator import WindowGenerator


@config
class WindowConvolutions:
    """G and D for windows of series.

    z_window, z_step: numbers that decide a window as a whole, and each of its steps.
    trunk: width of the layers before the curves; width: of G's convolutions.
    blocks: G's convolutions, which reach 1, 2, 4, 8, 16 steps and so on.
    curves: slow cosines over time that a window starts from.
    is_anchored: ranks of windows that are partly known go on from the known ones.
    d_width, d_widths: width of D's layer of patches, and of its last layers.
    pieces: how many pieces D sees each rank in.
    """

    z_window: int = 64
    z_step: int = 8
    trunk: int = 256
    width: int = 64
    blocks: int = 3
    curves: int = 12
    is_anchored: bool = False
    d_width: int = 64
    d_widths: tuple[int, ...] = (256, 256)
    pieces: int = 8

    def __post_init__(self) -> None:
        check_widths(
            z_window=self.z_window, z_step=self.z_step, trunk=self.trunk, width=self.width, blocks=self.blocks,
            curves=self.curves, d_width=self.d_width, pieces=self.pieces or 1,
        )  # fmt: skip
        for width in self.d_widths:
            check_widths(d_widths=width)

    def build(self, spec: Spec) -> nn.ModuleDict:
        G = WindowGenerator(
            spec, self.z_window, self.z_step, self.trunk, self.width, self.blocks, self.curves, self.is_anchored
        )
        return nn.ModuleDict({"G": G, "D": WindowCritic(spec, self.d_width, self.d_widths, self.pieces)})

    def smallest(self) -> "WindowConvolutions":
        return replace(self, z_window=2, z_step=1, trunk=4, width=4, blocks=1, curves=2, d_width=4, d_widths=(4,), pieces=2)
