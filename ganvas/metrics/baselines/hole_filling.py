"""Holes filled without a trained network: what inpainting has to beat."""

import importlib
from collections.abc import Callable
from importlib.util import find_spec
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ...configuration import config
from ...core import Batch, Spec
from ...errors import GanvasError, require
from .sources import MASK, SOURCE, adapt_source, read_translation_shapes

OPENCV, OPENCV_REQUIREMENT = "cv2", "opencv-python-headless"
OPENCV_FLAGS = {"telea": "INPAINT_TELEA", "navier-stokes": "INPAINT_NS"}


@config
class MeanFill:
    """The hole in the mean colour of the rest of its picture."""

    @property
    def name(self) -> str:
        return "mean-fill"

    def applies_to(self, spec: Spec) -> bool:
        return has_holes(spec)

    def fit(self, training: Batch) -> Callable[[Batch], Tensor]:
        example = training["x"][:1]

        def fill(batch: Batch) -> Tensor:
            source, is_hole = adapt_source(batch[SOURCE], example), batch[MASK] > 0.5
            rest = (~is_hole).to(source)
            mean = (source * rest).sum((2, 3), keepdim=True) / rest.sum((2, 3), keepdim=True).clamp(min=1)
            return torch.where(is_hole, mean, source)

        return fill


@config
class OpenCVFill:
    """The hole filled from its border by OpenCV. Telea 2004 ("telea") or Bertalmio et al. 2001 ("navier-stokes").

    It is left out where opencv-python-headless is not installed.

    radius: of the neighbourhood of a pixel, in pixels.
    """

    algorithm: Literal["telea", "navier-stokes"] = "telea"
    radius: float = 3.0

    def __post_init__(self) -> None:
        require(self.radius > 0, "radius", self.radius, "above 0 px")

    @property
    def name(self) -> str:
        return self.algorithm

    def applies_to(self, spec: Spec) -> bool:
        return has_holes(spec) and spec.shape[0] in (1, 3) and find_spec(OPENCV) is not None

    def fit(self, training: Batch) -> Callable[[Batch], Tensor]:
        example = training["x"][:1]

        def fill(batch: Batch) -> Tensor:
            source, holes = adapt_source(batch[SOURCE], example), batch[MASK] > 0.5
            return torch.stack([self._fill_picture(picture, hole[0]) for picture, hole in zip(source, holes, strict=True)])

        return fill

    def _fill_picture(self, picture: Tensor, hole: Tensor) -> Tensor:
        """A picture [C, H, W] in [-1, 1] with its hole [H, W] filled; OpenCV takes 8 bits. What is known stays as it is."""
        if find_spec(OPENCV) is None:
            raise GanvasError(f"{self.name} needs OpenCV, which is not installed: pip install {OPENCV_REQUIREMENT}")
        cv2 = importlib.import_module(OPENCV)
        stored = ((torch.where(hole, -1.0, picture).clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
        mask = hole.byte().cpu().numpy() * 255
        filled = np.asarray(
            cv2.inpaint(np.ascontiguousarray(stored), mask, self.radius, getattr(cv2, OPENCV_FLAGS[self.algorithm]))
        )
        values = torch.from_numpy(filled.reshape(stored.shape)).to(picture.device).permute(2, 0, 1).float() / 127.5 - 1
        return torch.where(hole, values, picture)


def has_holes(spec: Spec) -> bool:
    shapes = read_translation_shapes(spec)
    return shapes is not None and shapes.keeps_size and MASK in spec.conditions
