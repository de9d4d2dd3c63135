"""D learns that a real picture under another's caption is as wrong as a fake. Reed et al. 2016, algorithm 1 (GAN-CLS)."""

from collections.abc import Mapping

from torch import Tensor, nn

from ..configuration import config
from ..core import Clock, LossInputs, Nets, Objective
from ..errors import require
from .objectives import RelativisticPairing
from .patches import average_patches


@config
class MismatchedCaptions:
    """weight * objective.d(D(x, c), D(x, c')), where c' is the caption of another real sample of the batch.

    A sample whose neighbour has the same caption counts nothing.

    objective: as in the game. Of its loss on real pictures, this counts a part too: with half a hinge here and half a hinge in
        the game, it is that of DF-GAN (Tao et al. 2022, eq. 1).
    """

    objective: Objective = RelativisticPairing()
    weight: float = 1.0
    trains: tuple[str, ...] = ("D",)

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")

    def state(self, nets: Nets) -> nn.Module | None:
        return None

    def term(self, inputs: LossInputs) -> Tensor:
        text, real = inputs.batch["text"], inputs.real()
        other_text = text.roll(1, 0)
        wrong = inputs.critic(real.x, {"text": other_text})
        is_another = (text != other_text).flatten(1).any(1)
        return self.weight * is_another * average_patches(self.objective.d(real.output.logits, wrong.logits))

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        pass
