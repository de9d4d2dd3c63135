"""D's verdicts held near what they have been, for training on few samples. Tseng et al. 2021, eq. 4."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from ..configuration import config
from ..core import Clock, LossInputs, Nets
from ..errors import refuse


@config
class LeCam:
    """weight·(E relu(D(x) - a_fake)² + E relu(a_real - D(G(z)))²), where a are moving averages of D's outputs.

    One-sided, as in the authors' code; the paper's equation squares the differences themselves.

    after_steps: the averages are gathered from the start, and held against from this step on.
    """

    weight: float = 0.3
    mean_decay: float = 0.99
    after_steps: int = 1000

    def __post_init__(self) -> None:
        refuse(not self.weight >= 0, "method.extras.0.weight", self.weight, "0 or more", "--method.extras.0.weight 0.3")
        refuse(
            not 0 <= self.mean_decay < 1, "method.extras.0.keep", self.mean_decay, "in [0, 1)", "--method.extras.0.keep 0.99"
        )

    @property
    def trains(self) -> tuple[str, ...]:
        return ("D",)

    def state(self, nets: Nets) -> nn.Module | None:
        return CriticAverages()

    def term(self, inputs: LossInputs) -> Tensor | None:
        if inputs.clock.step < self.after_steps:
            return None
        averages = self.get_averages(inputs.nets)
        real, fake = inputs.real().output.logits, inputs.fake.output.logits
        return self.weight * (relu(real - averages.fake).square() + relu(averages.real - fake).square())

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        averages = self.get_averages(nets)
        averages.real.lerp_(statistics["D/real"], 1 - self.mean_decay)
        averages.fake.lerp_(statistics["D/fake"], 1 - self.mean_decay)

    def get_averages(self, nets: Nets) -> "CriticAverages":
        memory = nets[type(self).__name__]
        assert isinstance(memory, CriticAverages)
        return memory


class CriticAverages(nn.Module):
    """Of D's outputs on reals and on fakes."""

    real: Tensor
    fake: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("real", torch.zeros(()))
        self.register_buffer("fake", torch.zeros(()))
