"""D is smooth where a real picture meets its own caption. Tao et al. 2022 (DF-GAN), section 3.3, eq. 1: MA-GP."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import Clock, LossInputs, Nets
from .patches import average_patches
from .ranges import check_penalty_settings


@config
class MatchingAwarePenalty:
    """weight·(‖∇D(x, c)‖² over the picture and the caption)^(power / 2) on real pictures under their own captions.

    A high power forbids steep places, and leaves gentle ones alone. Where D reads only the sentence, its slope along the words
    is 0. The second derivative is exact, so D may not use attention that has none.
    """

    weight: float = 2.0
    power: float = 6.0

    def __post_init__(self) -> None:
        check_penalty_settings(1, weight=self.weight, power=self.power)

    @property
    def trains(self) -> tuple[str, ...]:
        return ("D",)

    def state(self, nets: Nets) -> nn.Module | None:
        return None

    def term(self, inputs: LossInputs) -> Tensor:
        """[N], in full precision: powers of a slope in bf16 are mostly rounding."""
        x = inputs.real().x
        with torch.autocast(x.device.type, enabled=False), torch.compiler.set_stance("force_eager"):
            places = [value.detach().float().requires_grad_() for value in (x, inputs.batch["text"])]
            logits = average_patches(inputs.critic(places[0], {"text": places[1]}).logits)
            slopes = torch.autograd.grad(logits.sum(), places, create_graph=True)
        squares = torch.stack([slope.square().flatten(1).sum(1) for slope in slopes]).sum(0)
        return self.weight * squares ** (self.power / 2)

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        pass
