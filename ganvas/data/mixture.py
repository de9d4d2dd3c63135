"""Gaussians on a ring or a grid in the plane, whose modes can be counted. Metz et al. 2017; Srivastava et al. 2017."""

import math
from dataclasses import replace
from typing import Literal

import numpy as np

from ..configuration import config
from ..core import seed_from
from ..errors import GanvasError
from .items import ItemList, build_array_items, fingerprint_parts

HELD_OUT_POINTS = 10_000  # points


@config
class Mixture:
    """`modes` round Gaussians, all as likely, on a circle of radius `scale` or evenly over [-scale, scale] squared."""

    layout: Literal["ring", "grid"] = "ring"
    modes: int = 8
    scale: float = 1.0
    std: float = 0.02  # of each Gaussian, in both directions
    count: int = 100_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.modes < 1 or (self.layout == "grid" and math.isqrt(self.modes) ** 2 != self.modes):
            nearest = max(1, round(math.sqrt(max(1, self.modes)))) ** 2
            kind = "a square number" if self.layout == "grid" else "at least 1"
            raise GanvasError(f"modes must be {kind} for a {self.layout}, got {self.modes}: set --data.modes {nearest}")
        if self.count < 2 or not self.std >= 0 or not self.scale > 0:
            raise GanvasError(
                f"a mixture needs count >= 2, std >= 0, scale > 0, got {self.count}, {self.std}, {self.scale}: correct --data.…"
            )

    @property
    def centres(self) -> tuple[tuple[float, float], ...]:
        """Where the modes are, in the order of the labels."""
        if self.layout == "ring":
            angles = [2 * math.pi * k / self.modes for k in range(self.modes)]
            return tuple((self.scale * math.cos(a), self.scale * math.sin(a)) for a in angles)
        side = math.isqrt(self.modes)
        line = [self.scale * (2 * k / (side - 1) - 1) for k in range(side)] if side > 1 else [0.0]
        return tuple((x, y) for x in line for y in line)

    def items(self, suffixes: tuple[str, ...]) -> ItemList:
        """`count` points, float32 [count, 2]; labels say of which mode."""
        return self._draw_points(self.count, "train")

    def held_out(self, suffixes: tuple[str, ...]) -> ItemList:
        """10,000 other points."""
        return self._draw_points(HELD_OUT_POINTS, "held-out")

    def _draw_points(self, count: int, split: str) -> ItemList:
        rng = np.random.default_rng(seed_from("mixture", split, self.seed))
        labels = rng.integers(self.modes, size=count)
        points = np.array(self.centres)[labels] + self.std * rng.standard_normal((count, 2))
        title = f"{self.layout} of {self.modes} Gaussians ({count:,} points)"
        mixture_items = build_array_items(points.astype(np.float32), None, "point", fingerprint_parts(repr(self), split), title)
        return replace(mixture_items, labels=labels.astype(np.int64), classes=tuple(str(k) for k in range(self.modes)))
