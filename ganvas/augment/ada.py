"""Adaptive discriminator augmentation. Karras et al. 2020b, sections 2 and 3 and appendix B.

D sees every sample changed at random with probability p; p follows how sure D is of its training samples, so that augmentation
is as strong as overfitting asks for, and none of it leaks into what G makes.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import Clock, LossInputs, Nets
from ..errors import refuse
from ..optim.schedules import Cosine
from .colours import add_noise, filter_octaves, jitter_colours
from .diffaugment import erase_squares
from .geometry import draw_pixel_moves, draw_shape_changes, warp_samples


class AdaMemory(nn.Module):
    """p, and how sure D was since it was last adapted."""

    p: Tensor
    sign: Tensor  # summed
    count: Tensor
    images: Tensor  # seen when it was last adapted

    def __init__(self) -> None:
        super().__init__()
        for name in ("p", "sign", "count"):
            self.register_buffer(name, torch.zeros(()))
        self.register_buffer("images", torch.zeros((), dtype=torch.int64))


@runtime_checkable
class Strength(Protocol):
    """How p is found. Frozen settings (@config)."""

    def adapt_strength(self, memory: AdaMemory, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        """Set memory.p after a step of D, of which `seen` holds the means."""
        ...


@config
class AdaptiveStrength:
    """p rises while E[sign D(x)] on reals is above `target`, and falls while it is below: their r_t, section 3.1.

    kimg: thousand images in which p can go from 0 to 1. every: steps between adaptations.
    """

    target: float = 0.6
    kimg: float = 500.0
    every: int = 4

    def __post_init__(self) -> None:
        refuse(not 0 < self.target < 1, "a target", self.target, "in (0, 1)", "--method.augment.strength.target 0.6")
        refuse(not self.kimg > 0, "kimg", self.kimg, "above 0", "--method.augment.strength.kimg 500")
        refuse(self.every < 1, "every", self.every, "1 or more", "--method.augment.strength.every 4")

    def adapt_strength(self, memory: AdaMemory, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        memory.sign.add_(statistics["D/sign"])
        memory.count.add_(1)
        if clock.step % self.every:
            return
        direction = (memory.sign / memory.count - self.target).sign()
        memory.p.add_(direction * (clock.samples - memory.images) / (1000 * self.kimg)).clamp_(0, 1)
        memory.sign.zero_()
        memory.count.zero_()
        memory.images.fill_(clock.samples)


@config
class RisingStrength:
    """p rises to `final` on half a cosine over the first `kimg` thousand images (Huang et al. 2024, appendix D)."""

    final: float = 0.5
    kimg: float = 20_000.0

    def __post_init__(self) -> None:
        refuse(not 0 <= self.final <= 1, "a final strength", self.final, "in [0, 1]", "--method.augment.strength.final 0.5")
        refuse(not self.kimg > 0, "kimg", self.kimg, "above 0", "--method.augment.strength.kimg 20000")

    def adapt_strength(self, memory: AdaMemory, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        memory.p.fill_(self.final * Cosine(kimg=self.kimg).compute_progress(clock))


@config
class ADA:
    """Images [N, C, H, W] in [-1, 1] -> the same shape; the numbers are shares of p, with which each change comes.

    mirror, quarter, shift: pixels in other places. geometry: scaling, turning, stretching, finer shifts.
    colour: brightness, contrast, inverted luma, hue, saturation. filters: octaves louder or softer. noise. cutout: half of the
    side. As in the paper the last three are off.
    """

    strength: Strength = AdaptiveStrength()
    mirror: float = 1.0
    quarter: float = 1.0
    shift: float = 1.0
    geometry: float = 1.0
    colour: float = 1.0
    filters: float = 0.0
    noise: float = 0.0
    cutout: float = 0.0

    def __post_init__(self) -> None:
        for name in ("mirror", "quarter", "shift", "geometry", "colour", "filters", "noise", "cutout"):
            value = getattr(self, name)
            refuse(not 0 <= value <= 1, f"method.augment.{name}", value, "in [0, 1]", f"--method.augment.{name} 1")

    # ------------------------------------------------------------ what D sees

    def __call__(self, x: Tensor, clock: Clock, nets: Nets) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):  # a place rounded to bf16 is another place
            return self.change_samples(x.float(), self.get_memory(nets).p)

    def change_samples(self, x: Tensor, p: Tensor) -> Tensor:
        n, size = len(x), (x.shape[2], x.shape[3])
        if self.mirror + self.quarter + self.shift + self.geometry:
            moves = draw_pixel_moves(self.mirror * p, self.quarter * p, self.shift * p, n, size)
            x = warp_samples(x, moves @ draw_shape_changes(self.geometry * p, n, size) if self.geometry else moves)
        if self.colour:
            x = jitter_colours(x, self.colour * p)
        if self.filters:
            x = filter_octaves(x, self.filters * p)
        if self.noise:
            x = add_noise(x, self.noise * p)
        if self.cutout:
            x = torch.where(torch.rand(n, 1, 1, 1, device=x.device) < self.cutout * p, erase_squares(x, 0.5), x)
        return x

    # ------------------------------------------------------------ how strongly

    @property
    def trains(self) -> tuple[str, ...]:
        return ("D",)

    def state(self, nets: Nets) -> nn.Module | None:
        return AdaMemory()

    def term(self, inputs: LossInputs) -> Tensor | None:
        return None

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        self.strength.adapt_strength(self.get_memory(nets), statistics, clock)

    def get_memory(self, nets: Nets) -> AdaMemory:
        memory = nets[type(self).__name__]
        assert isinstance(memory, AdaMemory)
        return memory
