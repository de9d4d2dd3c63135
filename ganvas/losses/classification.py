"""D tells classes apart as well, and G is to be told by them. Odena, Olah & Shlens 2017 (AC-GAN), eqs. 2 and 3."""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from ..configuration import config
from ..core import Clock, LossInputs, Nets
from ..errors import GanvasError, refuse


@config
class Classification:
    """weight·(-log P(label)): of reals and fakes in D's turn, of fakes in G's. For networks of AuxiliaryClassifier.

    Classes by cross-entropy; vectors, which have to lie in [0, 1], by that of each column.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        refuse(not self.weight >= 0, "method.extras.0.weight", self.weight, "0 or more", "--method.extras.0.weight 1.0")

    @property
    def trains(self) -> tuple[str, ...]:
        return ("D", "G")

    def state(self, nets: Nets) -> nn.Module | None:
        if not hasattr(nets["D"], "classify"):
            raise GanvasError(
                "Classification wants a D that names classes: wrap the networks in AuxiliaryClassifier, and that in nothing"
            )
        return None

    def term(self, inputs: LossInputs) -> Tensor | None:
        D, label = inputs.nets["D"], inputs.batch["label"]
        sample_sets = [inputs.fake, inputs.real()] if inputs.player == "D" else [inputs.fake]
        return self.weight * sum(measure_label_nll(D.classify(samples.output.features), label) for samples in sample_sets)  # type: ignore[operator]

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        pass


def measure_label_nll(logits: Tensor, label: Tensor) -> Tensor:
    """-log P(label), [N], of logits [N, K]."""
    if label.dim() == 1:
        return cross_entropy(logits.float(), label, reduction="none")
    return binary_cross_entropy_with_logits(logits.float(), label, reduction="none").mean(1)
