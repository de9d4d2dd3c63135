"""The distance of a generated picture from the one that it should be, pixel by pixel. Isola et al. 2017, eq. 3."""

from typing import Literal

from torch import Tensor

from ..configuration import config
from ..core import Batch, LossInputs
from ..errors import GanvasError, require
from .generator_loss import GeneratorLoss

CHARBONNIER_OFFSET = 1e-3  # ε of sqrt(d² + ε²)


@config
class PixelLoss(GeneratorLoss):
    """weight times the mean distance of G's sample from the batch's x. Both lie in [-1, 1], so a distance is at most 2.

    kind: "l1" |d| as in pix2pix, "charbonnier" sqrt(d² + ε²) (Lai et al. 2017, eq. 3), or "mse" d².
    on: the whole picture, the "hole" (where the column "mask" is 1) or the "known" rest. The mean is over these pixels.
    """

    weight: float = 100.0
    kind: Literal["l1", "charbonnier", "mse"] = "l1"
    on: Literal["all", "hole", "known"] = "all"

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")

    def term(self, inputs: LossInputs) -> Tensor | None:
        distance = self.measure_distance(inputs.fake.x.float(), inputs.batch["x"].float()).flatten(1)
        if self.on == "all":
            return self.weight * distance.mean(1)
        chosen = self.choose_pixels(inputs.batch).expand_as(inputs.fake.x).flatten(1)
        return self.weight * (distance * chosen).sum(1) / chosen.sum(1).clamp(min=1)

    def measure_distance(self, x: Tensor, target: Tensor) -> Tensor:
        """[N, …] twice -> the distance of each number."""
        match self.kind:
            case "l1":
                return (x - target).abs()
            case "charbonnier":
                return ((x - target).square() + CHARBONNIER_OFFSET**2).sqrt()
            case "mse":
                return (x - target).square()

    def choose_pixels(self, batch: Batch) -> Tensor:
        """[N, 1, H, W], 1 where pixels count. Raises GanvasError if the data has no masks."""
        if "mask" not in batch:
            raise GanvasError(f'PixelLoss(on="{self.on}") needs a mask for each sample, and the data has none: set on="all"')
        mask = batch["mask"].float()
        return mask if self.on == "hole" else 1 - mask
