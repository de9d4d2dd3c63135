"""G makes the category that its condition asks for. Xu et al. 2019, section 4.3 (CTGAN), "generator loss"."""

from torch import Tensor, int64

from ..configuration import config
from ..core import LossInputs
from ..errors import require
from .generator_loss import GeneratorLoss

LEAST_SHARE = 1e-30  # of a category: the logarithm stays finite, and so does its gradient


@config
class CategoryEntropy(GeneratorLoss):
    """weight·(-log d), d what G's one-hot gives the category asked for: the cross-entropy of the two.

    condition: int64 [N], the category's place in x. Without this condition there is no term.
    """

    condition: str = "category"
    weight: float = 1.0

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")

    def term(self, inputs: LossInputs) -> Tensor | None:
        if self.condition not in inputs.batch:
            return None
        places = inputs.batch[self.condition].to(int64)
        shares = inputs.fake.x.flatten(1).float().gather(1, places[:, None]).squeeze(1)
        return -self.weight * shares.clamp(min=LEAST_SHARE).log()
