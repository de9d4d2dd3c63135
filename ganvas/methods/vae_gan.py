"""An autoencoder that plays against a discriminator and measures its errors in D's features. Larsen et al. 2016."""

from functools import cache

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import NO_REQUEST, Batch, Clock, CriticPenalty, Latents, Nets, Objective, Phase, Request, Spec, Stage, Traits, Turn
from ..errors import GanvasError, require
from ..losses.objectives import NonSaturating
from ..nets.wrappers.encoded import sample_posterior
from .adversarial import Adversarial
from .autoencoding import measure_kl_from_prior, reconstruct_batch
from .critics import build_critic
from .latents import conditions_of


@config
class VAEGAN:
    """Algorithm 1: E learns from likeness and the prior, G from likeness and the game, D from the game.

    objective, penalties: of the game. Half of D's fakes are drawn, half are reconstructions.
    beta: weight of the divergence from the prior, in E's loss.
    likeness: weight of ½‖f(x) - f(x̂)‖² in G's loss, where f is the input of D's last layer; the paper's γ.
    """

    objective: Objective = NonSaturating()
    penalties: tuple[CriticPenalty, ...] = ()
    beta: float = 1.0
    likeness: float = 1.0

    def __post_init__(self) -> None:
        require(0 < self.beta < 1e6, "beta", self.beta, "above 0, below 1e6")
        require(0 <= self.likeness < 1e6, "likeness", self.likeness, "0 or more, below 1e6")
        for penalty in self.penalties:
            require(penalty.every == 1, "every", penalty.every, "1 for VAEGAN's penalties")

    @property
    def game(self) -> Adversarial:
        """The game between G and D, on fakes that VAEGAN passes in."""
        return Adversarial(objective=self.objective, penalties=self.penalties, share_fakes=True)

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return ("E", "G")

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        if not {"E", "D"} <= set(nets):
            raise GanvasError("VAEGAN needs networks with an encoder and D: take WithEncoder(has_discriminator=True)")
        return self.game.state(spec, nets)

    def traits(self, nets: Nets) -> Traits:
        return self.game.traits(nets)

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return _build_vae_gan_stage(self)

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        return self.game.draw_latents(nets, n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return self.game.render(nets, latents)

    def reconstruct(self, nets: Nets, batch: Batch) -> Tensor:
        """Reconstruct x from the mean of its posterior; the same shape."""
        return reconstruct_batch(nets, batch)

    def play_d(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        with torch.no_grad():
            mean, log_variance = nets["E"](batch["x"], **conditions_of(nets, batch))
            fake = self.generate_mixed_fakes(nets, batch, sample_posterior(mean, log_variance))
        return self.game.play_d(nets, {**batch, "fake": fake}, clock)

    def play_e(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        conditions = conditions_of(nets, batch)
        mean, log_variance = nets["E"](batch["x"], **conditions)
        reconstruction = nets["G"](sample_posterior(mean, log_variance), **conditions)
        terms = {
            "E/likeness": self.measure_feature_distance(nets, batch, reconstruction),
            "E/kl": self.beta * measure_kl_from_prior(mean, log_variance),
        }
        error = (reconstruction.detach().float() - batch["x"].float()).square().mean()
        return Turn(terms, {"E/error": error})

    def play_g(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        conditions = conditions_of(nets, batch)
        with torch.no_grad():
            code = sample_posterior(*nets["E"](batch["x"], **conditions))
        likeness = self.likeness * self.measure_feature_distance(nets, batch, nets["G"](code, **conditions))
        fake_logits = build_critic(nets, conditions)(self.generate_mixed_fakes(nets, batch, code)).logits

        def score_reals() -> Tensor:
            with torch.no_grad():
                return build_critic(nets, conditions)(batch["x"]).logits

        return Turn({"G/likeness": likeness, "G/adversarial": self.objective.g(fake_logits, score_reals)})

    def generate_mixed_fakes(self, nets: Nets, batch: Batch, code: Tensor) -> Tensor:
        """As many samples as the batch holds: the first half from the prior, the others from these codes."""
        half = len(code) // 2
        z = torch.cat([self.game.draw_z(nets, half).to(code.device), code[half:]])
        return nets["G"](z, **conditions_of(nets, batch))

    def measure_feature_distance(self, nets: Nets, batch: Batch, reconstruction: Tensor) -> Tensor:
        """½‖f(x) - f(x̂)‖² [N], which is -log p(f(x) | z) up to a constant, eq. 7."""
        critic = build_critic(nets, conditions_of(nets, batch))
        with torch.no_grad():
            real = critic(batch["x"]).features.float()
        return 0.5 * (critic(reconstruction).features.float() - real).square().sum(1)


@cache
def _build_vae_gan_stage(method: VAEGAN) -> Stage:
    phases = (Phase("D", ("D",), method.play_d), Phase("E", ("E",), method.play_e), Phase("G", ("G",), method.play_g))
    return Stage("vae-gan", phases)
