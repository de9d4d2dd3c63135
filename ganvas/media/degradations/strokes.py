"""Pictures with scratches: a source of inpainting."""

from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ...configuration import config
from ...errors import require
from .boxes import cut_holes
from .degradation import draw_uniform

CORNERS = (3, 5)  # of a stroke, its ends included
STEP, BORDER = 0.44, 0.125  # how far the next corner may lie; how far a stroke begins from the border; shares of the side


@config
class Strokes:
    """Random broken lines are cut out of each picture.

    count: how many.
    width: theirs, as shares of the picture's shorter side, from and to.
    """

    count: int = 2
    width: tuple[float, float] = (0.11, 0.1875)

    def __post_init__(self) -> None:
        require(1 <= self.count <= 50, "count", self.count, "from 1 to 50")
        require(0 < self.width[0] <= self.width[1] < 1, "width", self.width, "two rising numbers between 0 and 1")

    def __call__(self, x: Tensor, generator: torch.Generator) -> Mapping[str, Tensor]:
        height, width = x.shape[2:]
        masks = [self._draw_strokes(width, height, generator) for _ in range(len(x))]
        return cut_holes(x, torch.from_numpy(np.stack(masks)))

    def _draw_strokes(self, width: int, height: int, generator: torch.Generator) -> np.ndarray:
        """The pixels of one picture's strokes, bool [height, width]."""
        picture = Image.new("L", (width, height))
        pen = ImageDraw.Draw(picture)
        for _ in range(self.count):
            corner_count = int(torch.randint(CORNERS[0], CORNERS[1] + 1, (), generator=generator))
            steps = draw_uniform((-STEP, STEP), (corner_count, 2), generator)
            steps[0] = draw_uniform((BORDER, 1 - BORDER), (2,), generator)
            corners = [steps[0].numpy()]
            for step in steps[1:].numpy():  # NumPy's sums of single precision are quicker than tensors, and the same
                corners.append(np.minimum(np.maximum(corners[-1] + step, 0), 1))
            thickness = float(draw_uniform(self.width, (), generator)) * min(width, height)
            points = [(float(x) * (width - 1), float(y) * (height - 1)) for x, y in corners]
            pen.line(points, 255, max(1, round(thickness)), joint="curve")
        return np.asarray(picture) > 0
