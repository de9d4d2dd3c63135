"""D's verdicts held near what they have been, for training on few samples. Tseng et al. 2021, eq. 4."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from ..config import config
from ..core import Clock, Nets, Scene
from ..errors import refuse


@config
class LeCam:
    """weight·(E relu(D(x) - a_fake)² + E relu(a_real - D(G(z)))²), where a are moving averages of D's outputs.

    One-sided, as in the authors' code; the paper's equation squares the differences themselves.

    after_steps: the averages are gathered from the start, and held against from this step on.
    """

    weight: float = 0.3
    keep: float = 0.99
    after_steps: int = 1000

    def __post_init__(self) -> None:
        refuse(not self.weight >= 0, "method.extras.0.weight", self.weight, "0 or more", "--method.extras.0.weight 0.3")
        refuse(not 0 <= self.keep < 1, "method.extras.0.keep", self.keep, "in [0, 1)", "--method.extras.0.keep 0.99")

    @property
    def players(self) -> tuple[str, ...]:
        return ("D",)

    def state(self, nets: Nets) -> nn.Module | None:
        return Averages()

    def term(self, scene: Scene) -> Tensor | None:
        if scene.clock.step < self.after_steps:
            return None
        averages = self.averages(scene.nets)
        real, fake = scene.real().verdict.logit, scene.fake.verdict.logit
        return self.weight * (relu(real - averages.fake).square() + relu(averages.real - fake).square())

    def after(self, player: str, nets: Nets, seen: Mapping[str, Tensor], clock: Clock) -> None:
        averages = self.averages(nets)
        averages.real.lerp_(seen["D/real"], 1 - self.keep)
        averages.fake.lerp_(seen["D/fake"], 1 - self.keep)

    def averages(self, nets: Nets) -> "Averages":
        kept = nets[type(self).__name__]
        assert isinstance(kept, Averages)
        return kept


class Averages(nn.Module):
    """Of D's outputs on reals and on fakes."""

    real: Tensor
    fake: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("real", torch.zeros(()))
        self.register_buffer("fake", torch.zeros(()))
