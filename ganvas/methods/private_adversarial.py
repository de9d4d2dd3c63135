"""The two-player game with a promise of privacy: D learns by DP-SGD, and G sees samples through D alone.

Xie et al. 2018 ("Differentially private generative adversarial network"). Bie, Kamath, Zhang 2023 ("Private GANs, revisited")
give D many steps for each step of G, because noise makes its steps small.
"""

from dataclasses import replace
from functools import cache
from typing import Literal

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import NO_REQUEST, Batch, Clock, Latents, Nets, NoisyLoss, Objective, Phase, Request, Spec, Stage, Traits, Turn
from ..errors import GanvasError, require
from ..losses.objectives import Hinge
from ..privacy import find_sigma
from .adversarial import Adversarial
from .latents import get_generator

TRIAL_SIGMA = 1.0  # the speed of a trial does not depend on it


@config
class PrivateAdversarial:
    """Train G against D, which learns little of any one sample.

    objective: the two losses, in logits. D's must be a sum of a loss on reals and one on fakes.
    epsilon, delta: the privacy that the whole run costs.
    clip: the highest norm of a sample's gradient. Gradients of fakes stay as they are.
    critic_steps: steps of D for each step of G.
    fakes: how many fakes D sees in a step, and G in its own.
    prior: the distribution of z, N(0, 1) or U(-1, 1).
    sigma: the noise's deviation in units of `clip`. It follows from the others and from the budget, whatever is set here.
    """

    objective: Objective = Hinge()
    epsilon: float = 10.0
    delta: float = 1e-6
    clip: float = 1.0
    critic_steps: int = 20
    fakes: int = 500
    prior: Literal["normal", "uniform"] = "normal"
    sigma: float | None = None

    def __post_init__(self) -> None:
        require(0 < self.epsilon < 1000, "epsilon", self.epsilon, "above 0, below 1000")
        require(0 < self.delta < 1, "delta", self.delta, "between 0 and 1, and well below 1 / samples")
        require(0 < self.clip < 1e6, "clip", self.clip, "above 0, below 1e6")
        require(1 <= self.critic_steps <= 1000, "critic_steps", self.critic_steps, "from 1 to 1000")
        require(2 <= self.fakes <= 65536, "fakes", self.fakes, "from 2 to 65536")
        require(self.sigma is None or self.sigma > 0, "sigma", self.sigma, "above 0")
        if not is_separable(self.objective):
            raise GanvasError(
                f"{type(self.objective).__name__} compares reals with fakes, so that G would see reals: private training needs "
                "Hinge, NonSaturating, LeastSquares or Wasserstein"
            )

    @property
    def game(self) -> Adversarial:
        """It draws what G starts from."""
        return Adversarial(prior=self.prior)

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return ("G",)

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        """Raises GanvasError for a G with conditions."""
        if get_generator(nets).conditions:
            raise GanvasError(
                "private training takes no conditions, because how often each class occurs tells of the samples: take networks "
                "without them"
            )
        return self.game.state(spec, nets)

    def traits(self, nets: Nets) -> Traits:
        return self.game.traits(nets)

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return _build_private_stage(self)

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        return self.game.draw_latents(nets, n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return self.game.render(nets, latents)

    def judge_reals(self, nets: Nets, batch: Batch, clock: Clock) -> Tensor:
        """D's losses on samples of the data, [N]."""
        logits = nets["D"](batch["x"]).logits.float()
        return self.objective.d(logits, torch.zeros_like(logits))

    def play_d(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        """D's losses on fakes."""
        with torch.no_grad():
            fakes = self.generate_fakes(nets)
        logits = nets["D"](fakes).logits.float()
        return Turn({"D/adversarial": self.objective.d(torch.zeros_like(logits), logits)}, {"D/fake": logits.detach().mean()})

    def play_g(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        logits = nets["D"](self.generate_fakes(nets)).logits.float()
        return Turn({"G/adversarial": self.objective.g(logits, _refuse_reals)})

    def generate_fakes(self, nets: Nets) -> Tensor:
        z = self.game.draw_z(nets, self.fakes)
        return self.render(nets, {"z": z.to(next(nets["G"].parameters()).device)})

    def fix_noise(self, q: float, steps: int) -> "PrivateAdversarial":
        return replace(self, sigma=find_sigma(self.epsilon, q, steps, self.delta))


def is_separable(objective: Objective) -> bool:
    """Whether D's loss is a sum of one on reals and one on fakes, each sample by itself, and G's needs no reals."""
    a, b, c, d = torch.tensor([[0.3, -1.2], [-0.7, 0.4], [0.9, -0.1], [-0.2, 1.5]], dtype=torch.float64)
    mixed = objective.d(a, c) - objective.d(a, d) - objective.d(b, c) + objective.d(b, d)
    try:
        objective.g(a, _refuse_reals)
    except GanvasError:
        return False
    return bool(torch.allclose(mixed, torch.zeros_like(mixed), atol=1e-9))


def _refuse_reals() -> Tensor:
    raise GanvasError("G must not see reals in private training")


@cache
def _build_private_stage(method: PrivateAdversarial) -> Stage:
    noisy = NoisyLoss(method.judge_reals, method.clip, method.sigma or TRIAL_SIGMA)
    d = Phase("D", ("D",), method.play_d, noisy=noisy)
    return Stage("private", (d, Phase("G", ("G",), method.play_g, every=method.critic_steps, needs_data=False)))
