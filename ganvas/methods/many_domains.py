"""One translator for many domains: it is told the wanted class or attributes. Choi et al. 2018 (StarGAN).

D judges pictures and tells their label. G has to fool it, and to show the wanted label. From its own result and the source's
label it has to find back to the source.
"""

from functools import cache

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import NO_REQUEST, Batch, Clock, CriticPenalty, Latents, Nets, Objective, Phase, Request, Spec, Stage, Traits, Turn
from ..errors import GanvasError, require
from ..losses.classification import measure_label_nll
from ..losses.gradient_penalty import GradientPenalty
from ..losses.objectives import Wasserstein
from .adversarial import Adversarial
from .critics import build_critic, check_penalties_run_always, collect_penalties, describe_logits, show_samples
from .latents import build_condition_draws
from .sources import measure_pixel_error, read_source_condition_shape

DEFAULT_GAME = Adversarial()  # draws sources and labels as in a game


@config
class ManyDomains:
    """Train G and D on samples with labels, each of which is its own source. Eqs. 5 to 8.

    Each batch's wanted labels are its labels in another order. A label is a class, or a vector of attributes in [0, 1].

    penalties: on D, in every step.
    classification: weight of -log P(label), on reals for D and on fakes for G.
    reconstruction: weight of |G(G(source, wanted), label) - source|.
    critic_steps: steps of D for each step of G.
    share_fakes: G steps first and D judges the same fakes, which saves making them twice; for critic_steps=1.
    """

    objective: Objective = Wasserstein()
    penalties: tuple[CriticPenalty, ...] = (GradientPenalty(),)
    classification: float = 1.0
    reconstruction: float = 10.0
    critic_steps: int = 5
    share_fakes: bool = False

    def __post_init__(self) -> None:
        check_penalties_run_always("ManyDomains", self.penalties)
        require(self.classification >= 0, "classification", self.classification, "0 or more")
        require(self.reconstruction >= 0, "reconstruction", self.reconstruction, "0 or more")
        require(1 <= self.critic_steps <= 1000, "critic_steps", self.critic_steps, "from 1 to 1000")
        has_fakes_for_all = self.critic_steps == 1 or not self.share_fakes
        require(has_fakes_for_all, "critic_steps", self.critic_steps, "1 with share_fakes, which makes fakes once per step")

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return ("G",)

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        if not hasattr(nets["D"], "classify"):
            raise GanvasError("ManyDomains needs a D that tells labels: take the networks StarGAN")
        if read_source_condition_shape(spec, "ManyDomains") != spec.shape:
            raise GanvasError("ManyDomains needs each sample as its own source: the column source has to be a copy of x")
        return nn.ModuleDict(build_condition_draws(spec))

    def traits(self, nets: Nets) -> Traits:
        return DEFAULT_GAME.traits(nets)

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return _build_many_domains_stage(self)

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        return DEFAULT_GAME.draw_latents(nets, n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return DEFAULT_GAME.render(nets, latents)

    def play_g(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        source, label = batch["source"], batch["label"]
        wanted, critic = shuffle_rows(label), build_critic(nets, {})

        def score_reals() -> Tensor:
            with torch.no_grad():
                return critic(batch["x"]).logits

        fake = nets["G"](source=source, label=wanted)
        output = critic(fake)
        terms = {
            "G/adversarial": self.objective.g(output.logits, score_reals),
            "G/classification": self.classification * measure_label_error(nets, output.features, wanted),
            "G/reconstruction": self.reconstruction * measure_pixel_error(nets["G"](source=fake, label=label), source),
        }
        return Turn(terms, {**batch, "fake": fake.detach()} if self.share_fakes else {})

    def play_d(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        label, critic = batch["label"], build_critic(nets, {})
        if self.share_fakes:
            fake_x = batch["fake"]
        else:
            with torch.no_grad():
                fake_x = nets["G"](source=batch["source"], label=shuffle_rows(label))
        real, fake = show_samples(critic, batch["x"]), show_samples(critic, fake_x)
        terms = {
            "D/adversarial": self.objective.d(real.output.logits, fake.output.logits),
            "D/classification": self.classification * measure_label_error(nets, real.output.features, label),
        }
        terms |= collect_penalties("D", self.penalties, (critic, critic), real, fake, clock)
        return Turn(terms, describe_logits("D", real, fake))


def shuffle_rows(label: Tensor) -> Tensor:
    """The same labels [N] or [N, K] in another order."""
    return label[torch.randperm(len(label)).to(label.device)]


def measure_label_error(nets: Nets, features: Tensor, label: Tensor) -> Tensor:
    """-log P(label) [N] by D; for attributes, the sum over them, as in the authors' code."""
    attributes = 1 if label.dim() == 1 else label.shape[1]
    return attributes * measure_label_nll(nets["D"].classify(features), label)  # type: ignore[operator]


@cache
def _build_many_domains_stage(method: ManyDomains) -> Stage:
    d = Phase("D", ("D",), method.play_d, repeat=method.critic_steps, needs_data=not method.share_fakes)
    g = Phase("G", ("G",), method.play_g)
    return Stage("many domains", (g, d) if method.share_fakes else (d, g))
