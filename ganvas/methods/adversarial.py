"""The two-player game: D learns to tell real from fake, G learns to fool D. Goodfellow et al. 2014, algorithm 1."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Literal

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import (
    NO_REQUEST,
    Augment,
    AuxiliaryLoss,
    Batch,
    Clock,
    CriticOutput,
    CriticPenalty,
    GeneratorPenalty,
    Latents,
    LossInputs,
    Nets,
    Objective,
    Phase,
    Request,
    ShownSamples,
    Spec,
    Stage,
    Traits,
    Turn,
)
from ..errors import GanvasError, require
from ..losses.objectives import NonSaturating, RelativisticAverage, TopK, WeightedObjective
from .critics import (
    Critic,
    SideCritic,
    ask_side_critic,
    build_critic,
    collect_auxiliary_terms,
    collect_penalties,
    describe_logits,
    drop_features,
    interpolate_pairs,
    show_samples,
)
from .latents import build_condition_draws, conditions_of, draw_conditions, get_generator
from .replay import ReplayRng


@config
class Adversarial:
    """Train G against D.

    objective: the two losses, in logits.
    penalties: on D; each one with `every` above 1 is a separate phase.
    auxiliary_losses: additional terms of the players' losses, or changes after their steps.
    side_critics: further critics besides D.
    path_length: a penalty on G, in a separate phase.
    critic_steps: steps of D for each step of G.
    share_fakes: G steps first and D judges the same fakes, which saves making them twice.
    top_k: the fakes that G learns from.
    augment: a random change of every sample that D sees, real or generated.
    prior: the distribution of z, N(0, 1) or U(-1, 1).
    """

    objective: Objective = NonSaturating()
    penalties: tuple[CriticPenalty, ...] = ()
    auxiliary_losses: tuple[AuxiliaryLoss, ...] = ()
    side_critics: tuple[SideCritic, ...] = ()
    path_length: GeneratorPenalty | None = None
    critic_steps: int = 1
    share_fakes: bool = False
    top_k: TopK | None = None
    augment: Augment | None = None
    prior: Literal["normal", "uniform"] = "normal"

    def __post_init__(self) -> None:
        for setting, parts in (("penalties", self.penalties), ("auxiliary_losses", self.auxiliary_losses)):
            names = [type(part).__name__ for part in parts]
            if len(names) != len(set(names)):
                raise GanvasError(f"{setting} must not repeat a type, got {', '.join(names)}: keep one and change its settings")
        require(1 <= self.critic_steps <= 1000, "critic_steps", self.critic_steps, "from 1 to 1000")
        has_fakes_for_all = self.critic_steps == 1 or not self.share_fakes
        require(has_fakes_for_all, "critic_steps", self.critic_steps, "1 with share_fakes, which makes fakes once per step")
        objective = self.objective.objective if isinstance(self.objective, WeightedObjective) else self.objective
        if self.top_k is not None and isinstance(objective, RelativisticAverage):
            raise GanvasError(
                "top_k chooses fakes, but half of RelativisticAverage's loss is on reals: take another objective, or no top_k"
            )

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return ("G",)

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        if self.share_fakes and get_generator(nets).has_feature_statistics:
            raise GanvasError(
                "G measures its features when it makes fakes for D, but share_fakes skips that step: turn share_fakes off"
            )
        for side in self.side_critics:
            side.check_auxiliary_losses(nets)
        memories = build_condition_draws(spec)
        for auxiliary in self.all_auxiliary_losses:
            memory = auxiliary.state(nets)
            if memory is not None:
                memories[type(auxiliary).__name__] = memory
        if self.path_length is not None:
            memories[type(self.path_length).__name__] = self.path_length.state(nets)
        return nn.ModuleDict(memories)

    @property
    def all_auxiliary_losses(self) -> tuple[AuxiliaryLoss, ...]:
        """The auxiliary losses, and the augmentation if it is one too."""
        return self.auxiliary_losses + ((self.augment,) if isinstance(self.augment, AuxiliaryLoss) else ())

    def traits(self, nets: Nets) -> Traits:
        G = get_generator(nets)
        latent: Literal["z", "ws"] | None = ("ws" if G.has_styles else "z") if G.z_dim else None
        return Traits("G", ("D", *(side.network for side in self.side_critics)), G.conditions, latent, self.prior)

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return _build_adversarial_stage(self)

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        """{"z": [n, z_dim]}, and the conditions that G takes: as requested, or at the data's frequencies.

        Networks that move styles towards their mean take {"truncation": [n]}; for others z is truncated. Random numbers
        come from the CPU, so that a seed gives the same samples on every device.
        """
        G, latents = get_generator(nets), dict[str, Tensor]()
        if G.z_dim:
            latents["z"] = self.draw_z(nets, n, generator, None if G.takes_truncation else request.truncation)
        if G.takes_truncation and request.truncation is not None:
            latents["truncation"] = torch.full((n,), request.truncation)
        return {**latents, **draw_conditions(nets, G.conditions, n, generator, request)}

    def draw_z(self, nets: Nets, n: int, generator: torch.Generator | None = None, truncation: float | None = None) -> Tensor:
        """Draw z. Normal values beyond ±`truncation` are drawn again, uniform ones scaled. Brock et al. 2019, section 3.1."""
        size = (n, get_generator(nets).z_dim)
        if self.prior == "uniform":
            return (torch.rand(size, generator=generator) * 2 - 1) * min(1.0, truncation or 1.0)
        if truncation is None:
            return torch.randn(size, generator=generator)
        return nn.init.trunc_normal_(torch.empty(size), 0.0, 1.0, -truncation, truncation, generator=generator)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return nets["G"](**latents)

    # ------------------------------------------------------------ the turns

    def play_d(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        real_critic, fake_critic = (self.build_augmented_critic(nets, batch, clock) for _ in range(2))
        real = show_samples(real_critic, batch["x"])
        fake_x = batch["fake"] if self.share_fakes else self.generate_detached_fakes(nets, batch)
        fake = show_samples(fake_critic, fake_x)
        terms = {"D/adversarial": self.objective.d(real.output.logits, fake.output.logits)}
        terms |= collect_penalties("D", self.penalties, (real_critic, fake_critic), real, fake, clock)
        terms |= self.collect_auxiliary_terms(
            LossInputs("D", nets, batch, clock, fake, lambda: real, self.ask_critic(nets, batch, clock))
        )
        for side in self.side_critics:
            terms |= self.play_side_critic(side, nets, batch, fake_x, clock)
        return Turn(terms, describe_logits("D", real, fake) | self.collect_memory_scalars(nets))

    def play_side_critic(self, side: SideCritic, nets: Nets, batch: Batch, fake_x: Tensor, clock: Clock) -> dict[str, Tensor]:
        """A further critic's loss and penalties, on its view of the samples."""
        critic = build_critic(nets, conditions_of(nets, batch), side.network)
        if self.share_fakes:
            views = batch[f"{side.network}/real"], batch[f"{side.network}/fake"]
        else:
            views = self.view_samples(side, nets, batch["x"], clock), self.view_samples(side, nets, fake_x, clock)
        real, fake = (show_samples(critic, view) for view in views)
        terms = {f"{side.network}/adversarial": self.objective.d(real.output.logits, fake.output.logits)}
        ask = ask_side_critic(side, nets, conditions_of(nets, batch))
        inputs = LossInputs("D", nets, batch, clock, fake, lambda: real, ask)
        terms |= collect_auxiliary_terms(side.auxiliary_losses, inputs, side.network)
        return terms | collect_penalties(side.network, side.penalties, (critic, critic), real, fake, clock)

    def view_samples(self, side: SideCritic, nets: Nets, x: Tensor, clock: Clock) -> Tensor:
        """What a further critic sees of samples: augmented like those for D, then in its view."""
        return side.see(x if self.augment is None else self.augment(x, clock, nets), nets[side.network])

    def play_g(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        return self.please_critics(nets, batch, clock, self.generate_fakes(nets, batch))

    def please_critics(self, nets: Nets, batch: Batch, clock: Clock, fake_x: Tensor) -> Turn:
        """G's turn with these fakes, as many as the batch holds: its loss by all critics, and auxiliary losses."""
        x = batch["x"]

        @cache
        def show_reals() -> ShownSamples:
            with torch.no_grad():
                return show_samples(self.build_augmented_critic(nets, batch, clock), x)

        fake = show_samples(self.build_augmented_critic(nets, batch, clock), fake_x)
        loss = self.objective.g(fake.output.logits, lambda: show_reals().output.logits)
        terms = {"G/adversarial": loss if self.top_k is None else self.top_k(loss, fake.output.logits, clock)}
        terms |= self.collect_auxiliary_terms(
            LossInputs("G", nets, batch, clock, fake, show_reals, self.ask_critic(nets, batch, clock))
        )
        # the fakes need the reals and conditions of this batch, so later phases draw none of their own
        shared = {**batch, "fake": fake_x.detach()}
        for side in self.side_critics:
            loss, views = self.please_side_critic(side, nets, batch, fake_x, clock)
            terms[f"G/{side.network}"] = side.weight * loss
            shared |= views
        return Turn(terms, shared if self.share_fakes else {})

    def please_side_critic(
        self, side: SideCritic, nets: Nets, batch: Batch, fake_x: Tensor, clock: Clock
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """(G's loss on a further critic's logits, the critic's views of samples, which share_fakes uses again)."""
        critic = build_critic(nets, conditions_of(nets, batch), side.network)

        @cache
        def view_reals() -> Tensor:
            with torch.no_grad():
                return self.view_samples(side, nets, batch["x"], clock)

        def score_reals() -> Tensor:
            with torch.no_grad():
                return critic(view_reals()).logits

        fake_view = self.view_samples(side, nets, fake_x, clock)
        loss = self.objective.g(critic(fake_view).logits, score_reals)
        if not self.share_fakes:
            return loss, {}
        return loss, {f"{side.network}/real": view_reals(), f"{side.network}/fake": fake_view.detach()}

    def play_penalty(self, penalty: CriticPenalty, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        """A lazy penalty in its own phase, times its interval. Karras et al. 2020, appendix B."""
        x, critic = batch["x"], self.build_augmented_critic(nets, batch, clock)
        if penalty.on != "real":
            fake = batch["fake"] if self.share_fakes else self.generate_detached_fakes(nets, batch)
            x = fake if penalty.on == "fake" else interpolate_pairs(x, fake)
        return Turn({f"D/{type(penalty).__name__}": penalty.every * penalty(drop_features(critic), x, None, clock)})

    def play_path(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        """The penalty on G, on part of the batch, times its interval."""
        assert self.path_length is not None
        n = -(-len(batch["x"]) // self.path_length.subsample)
        conditions = {name: value[:n] for name, value in conditions_of(nets, batch).items()}
        terms, statistics = self.path_length(nets, {"z": self.draw_z(nets, n).to(batch["x"].device), **conditions})
        return Turn({name: self.path_length.every * term for name, term in terms.items()}, statistics)

    def collect_auxiliary_terms(self, inputs: LossInputs) -> dict[str, Tensor]:
        """The auxiliary losses' terms of a player's loss."""
        return collect_auxiliary_terms(self.all_auxiliary_losses, inputs, inputs.player)

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        for auxiliary in self.all_auxiliary_losses:
            if player in auxiliary.trains:
                auxiliary.after(player, nets, statistics, clock)

    def build_after(self, player: str) -> Callable[[Nets, Mapping[str, Tensor], Clock], None] | None:
        """What follows a player's step; None if no auxiliary loss takes part in it."""
        has_losses = any(player in auxiliary.trains for auxiliary in self.all_auxiliary_losses)
        return partial(self.after, player) if has_losses else None

    def after_penalty(self, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        """Apply the changes of D's auxiliary losses after D's lazy step too.

        Losses with a state are left out, because they already counted D's turn.
        """
        for auxiliary in self.all_auxiliary_losses:
            if "D" in auxiliary.trains and type(auxiliary).__name__ not in nets:
                auxiliary.after("D", nets, statistics, clock)

    def collect_memory_scalars(self, nets: Nets) -> dict[str, Tensor]:
        """The scalars in the state of auxiliary losses and the path-length penalty, for the log: ADA's p, for example."""
        memory_names = {type(part).__name__ for part in (*self.all_auxiliary_losses, self.path_length)} & set(nets)
        return {
            f"{name}/{number}": value.detach().clone()
            for name in sorted(memory_names)
            for number, value in nets[name].named_buffers()
            if value.dim() == 0 and value.is_floating_point()
        }

    def build_augmented_critic(
        self, nets: Nets, batch: Batch, clock: Clock, conditions: Mapping[str, Tensor] | None = None, name: str = "D"
    ) -> Critic:
        """A critic that augments its samples first, always by the same draw, so that penalties include the augmentation.

        conditions: None takes the batch's.
        """
        critic = build_critic(nets, conditions_of(nets, batch) if conditions is None else conditions, name)
        augment = self.augment
        if augment is None:
            return critic
        replay = ReplayRng(batch["x"].device)
        return lambda x: critic(replay(lambda: augment(x, clock, nets)))

    def ask_critic(self, nets: Nets, batch: Batch, clock: Clock) -> Callable[[Tensor, Mapping[str, Tensor]], CriticOutput]:
        """D on samples under conditions other than the batch's, for auxiliary losses."""

        def ask(x: Tensor, conditions: Mapping[str, Tensor]) -> CriticOutput:
            return self.build_augmented_critic(nets, batch, clock, {**conditions_of(nets, batch), **conditions})(x)

        return ask

    def generate_detached_fakes(self, nets: Nets, batch: Batch) -> Tensor:
        """As many samples as the batch holds, without gradients."""
        with torch.no_grad():
            return self.generate_fakes(nets, batch)

    def generate_fakes(self, nets: Nets, batch: Batch) -> Tensor:
        """As many samples as the batch holds, under the same conditions."""
        x = batch["x"]
        z = {"z": self.draw_z(nets, len(x)).to(x.device)} if get_generator(nets).z_dim else {}
        return self.render(nets, {**z, **conditions_of(nets, batch)})


@cache
def _build_adversarial_stage(method: Adversarial) -> Stage:
    """The phases of a step, built once because the loop needs them at every step."""
    critics = ("D", *(side.network for side in method.side_critics))
    needs_data = not method.share_fakes
    d = Phase("D", critics, method.play_d, repeat=method.critic_steps, needs_data=needs_data, after=method.build_after("D"))
    g = Phase("G", ("G",), method.play_g, after=method.build_after("G"))
    lazy = tuple(_build_lazy_phase(method, penalty) for penalty in method.penalties if penalty.every > 1)
    path: tuple[Phase, ...] = ()
    if (smooth := method.path_length) is not None:
        path = (
            Phase(
                type(smooth).__name__,
                ("G",),
                method.play_path,
                every=smooth.every,
                needs_data=needs_data,
                after=smooth.after,
            ),
        )
    return Stage("adversarial", (g, *path, d, *lazy) if method.share_fakes else (d, *lazy, g, *path))


def _build_lazy_phase(method: Adversarial, penalty: CriticPenalty) -> Phase:
    def play_lazy_penalty(nets: Nets, batch: Batch, clock: Clock) -> Turn:
        return method.play_penalty(penalty, nets, batch, clock)

    after = method.after_penalty if method.build_after("D") else None
    needs_data = not method.share_fakes
    return Phase(type(penalty).__name__, ("D",), play_lazy_penalty, every=penalty.every, needs_data=needs_data, after=after)
