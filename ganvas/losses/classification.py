"""D also classifies samples, and G's samples must show their class. Odena, Olah & Shlens 2017 (AC-GAN), eqs. 2 and 3."""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from ..configuration import config
from ..core import Clock, LossInputs, Nets
from ..errors import GanvasError, require


@config
class Classification:
    """weight·(-log P(label)): on reals and fakes for D, on fakes for G. Needs the networks of AuxiliaryClassifier.

    Classes use cross-entropy. Vectors use binary cross-entropy in each column, and must lie in [0, 1].
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")

    @property
    def trains(self) -> tuple[str, ...]:
        return ("D", "G")

    def state(self, nets: Nets) -> nn.Module | None:
        if not hasattr(nets["D"], "classify"):
            raise GanvasError(
                "Classification needs a D that classifies: make AuxiliaryClassifier the outermost wrapper of the networks"
            )
        return None

    def term(self, inputs: LossInputs) -> Tensor | None:
        D, label = inputs.nets["D"], inputs.batch["label"]
        sample_sets = [inputs.fake, inputs.real()] if inputs.player == "D" else [inputs.fake]
        return self.weight * sum(measure_label_nll(D.classify(samples.output.features), label) for samples in sample_sets)  # type: ignore[operator]

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        pass


def measure_label_nll(logits: Tensor, label: Tensor) -> Tensor:
    """-log P(label), [N], from logits [N, K]; for vectors, the mean over columns."""
    if label.dim() == 1:
        return cross_entropy(logits.float(), label, reduction="none")
    return binary_cross_entropy_with_logits(logits.float(), label, reduction="none").mean(1)
