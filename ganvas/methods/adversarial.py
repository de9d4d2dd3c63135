"""The two-player game: D learns to tell real from fake, G to be taken for real. Goodfellow et al. 2014, algorithm 1."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Literal

import torch
from torch import Tensor, nn

from ..config import config
from ..core import (
    ANY,
    Asked,
    Augment,
    Batch,
    Clock,
    Condition,
    CriticPenalty,
    Extra,
    GeneratorPenalty,
    Judged,
    Latents,
    Nets,
    Objective,
    Phase,
    Scene,
    Spec,
    Stage,
    Turn,
    Verdict,
)
from ..errors import GanvasError
from ..losses.objectives import NonSaturating, RelativisticAverage, TopK
from .replay import Draw

Critic = Callable[[Tensor], Verdict]


@config
class Adversarial:
    """G against D.

    objective: the two losses, in logits.
    penalties: on D; those with `every` above 1 become phases of their own.
    extras: what else stands in the players' losses, or changes after their steps.
    path_length: on G, in a phase of its own.
    critic_steps: D's steps for each of G's.
    share_fakes: G moves first and D judges the same fakes, which saves making them twice.
    top_k: which of its fakes G learns from.
    augment: what D sees of every sample, real or generated.
    prior: what z is drawn from, N(0, 1) or U(-1, 1).
    """

    objective: Objective = NonSaturating()
    penalties: tuple[CriticPenalty, ...] = ()
    extras: tuple[Extra, ...] = ()
    path_length: GeneratorPenalty | None = None
    critic_steps: int = 1
    share_fakes: bool = False
    top_k: TopK | None = None
    augment: Augment | None = None
    prior: Literal["normal", "uniform"] = "normal"

    def __post_init__(self) -> None:
        for what, parts in (("penalties", self.penalties), ("extras", self.extras)):
            names = [type(part).__name__ for part in parts]
            if len(names) != len(set(names)):
                raise GanvasError(f"{what} must differ, got {', '.join(names)}: change the setting of one instead")
        if self.share_fakes and self.critic_steps > 1:
            raise GanvasError("share_fakes has one batch of fakes a step: with it, --method.critic-steps 1")
        if self.top_k is not None and isinstance(self.objective, RelativisticAverage):
            raise GanvasError("top_k chooses fakes, and half of RelativisticAverage's loss is of reals: take another objective")
        if not 1 <= self.critic_steps <= 1000:
            raise GanvasError(f"critic_steps must be between 1 and 1000, got {self.critic_steps}: --method.critic-steps 1")

    @property
    def averaged(self) -> tuple[str, ...]:
        return ("G",)

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        if self.share_fakes and getattr(nets["G"], "measures", False):
            raise GanvasError(
                "G measures its features where it makes D's fakes, which share_fakes leaves out: train without it"
            )
        kept: dict[str, nn.Module] = {}
        if "label" in spec.conditions:
            kept["labels"] = Labels(spec.conditions["label"])
        for extra in self.parts:
            memory = extra.state(nets)
            if memory is not None:
                kept[type(extra).__name__] = memory
        if self.path_length is not None:
            kept[type(self.path_length).__name__] = self.path_length.state(nets)
        return nn.ModuleDict(kept)

    @property
    def parts(self) -> tuple[Extra, ...]:
        """The extras, and the augmentation where it is one."""
        return self.extras + ((self.augment,) if isinstance(self.augment, Extra) else ())

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return _stage(self)

    def latents(self, nets: Nets, n: int, generator: torch.Generator | None = None, asked: Asked = ANY) -> Latents:
        """{"z": [n, z_dim]}, and {"label": [n, …]} where G takes them: the one asked for, or as they come in the data.

        Networks that draw styles towards their mean are told {"truncation": [n]}; for others z is truncated. Drawn on the
        CPU, so that a seed means the same samples on every device.
        """
        styled = getattr(nets["G"], "truncates", False)
        found = {"z": self.noise(nets, n, generator, None if styled else asked.truncation)}
        if styled and asked.truncation is not None:
            found["truncation"] = torch.full((n,), asked.truncation)
        if not conditional(nets):
            return found
        label = asked.label
        return found | {"label": nets["labels"](n, generator) if label is None else label.expand(n, *label.shape)}

    def noise(self, nets: Nets, n: int, generator: torch.Generator | None = None, truncation: float | None = None) -> Tensor:
        """z; normal values beyond ±`truncation` are drawn anew, uniform ones scaled. Brock et al. 2019, section 3.1."""
        size = (n, int(nets["G"].z_dim))  # type: ignore[arg-type]
        if self.prior == "uniform":
            return (torch.rand(size, generator=generator) * 2 - 1) * min(1.0, truncation or 1.0)
        if truncation is None:
            return torch.randn(size, generator=generator)
        return nn.init.trunc_normal_(torch.empty(size), 0.0, 1.0, -truncation, truncation, generator=generator)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return nets["G"](**latents)

    # ------------------------------------------------------------ the turns

    def play_d(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        on_reals, on_fakes = self.look(nets, batch, clock), self.look(nets, batch, clock)
        real = judged(on_reals, batch["x"])
        fake = judged(on_fakes, batch["fake"] if self.share_fakes else self.fakes(nets, batch))
        terms = {"D/adversarial": self.objective.d(real.verdict.logit, fake.verdict.logit)}
        for penalty in self.penalties:
            if penalty.every == 1:
                x = between(real.x, fake.x) if penalty.on == "between" else (real if penalty.on == "real" else fake).x
                logits = {"real": real.verdict.logit, "fake": fake.verdict.logit}.get(penalty.on)
                critic = on_fakes if penalty.on == "fake" else on_reals
                terms[f"D/{type(penalty).__name__}"] = penalty(logit(critic), x, logits, clock)
        terms |= self.beside(Scene("D", nets, batch, clock, fake, lambda: real))
        on_real, on_fake = real.verdict.logit.detach(), fake.verdict.logit.detach()
        seen = {"D/real": on_real.mean(), "D/fake": on_fake.mean(), "D/sign": on_real.sign().mean()}
        return Turn(terms, seen | self.remembered(nets))

    def play_g(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        x = batch["x"]

        @cache
        def real() -> Judged:
            with torch.no_grad():
                return judged(self.look(nets, batch, clock), x)

        made = self.made(nets, batch)
        fake = judged(self.look(nets, batch, clock), made)
        loss = self.objective.g(fake.verdict.logit, lambda: real().verdict.logit)
        terms = {"G/adversarial": loss if self.top_k is None else self.top_k(loss, fake.verdict.logit, clock)}
        terms |= self.beside(Scene("G", nets, batch, clock, fake, real))
        # with the reals and labels that go with them: D's own batch is another
        return Turn(terms, {"fake": made.detach(), "x": x, **asked_of(nets, batch)} if self.share_fakes else {})

    def play_penalty(self, penalty: CriticPenalty, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        """A lazy penalty, by itself and times its interval. Karras et al. 2020, appendix B."""
        x, critic = batch["x"], self.look(nets, batch, clock)
        if penalty.on != "real":
            fake = self.fakes(nets, batch)
            x = fake if penalty.on == "fake" else between(x, fake)
        return Turn({f"D/{type(penalty).__name__}": penalty.every * penalty(logit(critic), x, None, clock)})

    def play_path(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        """The penalty on G, on a part of the batch and times its interval."""
        assert self.path_length is not None
        n = -(-len(batch["x"]) // self.path_length.shrink)
        given = {name: value[:n] for name, value in asked_of(nets, batch).items()}
        terms, seen = self.path_length(nets, {"z": self.noise(nets, n).to(batch["x"].device), **given})
        return Turn({name: self.path_length.every * term for name, term in terms.items()}, seen)

    def beside(self, scene: Scene) -> dict[str, Tensor]:
        """The extras' terms of a player's loss."""
        found = {type(extra).__name__: extra.term(scene) for extra in self.parts if scene.player in extra.players}
        return {f"{scene.player}/{name}": term for name, term in found.items() if term is not None}

    def after(self, player: str, nets: Nets, seen: Mapping[str, Tensor], clock: Clock) -> None:
        for extra in self.parts:
            if player in extra.players:
                extra.after(player, nets, seen, clock)

    def after_penalty(self, nets: Nets, seen: Mapping[str, Tensor], clock: Clock) -> None:
        """What changes D's weights does so after every step of its; what remembers its turns does so once."""
        for extra in self.parts:
            if "D" in extra.players and type(extra).__name__ not in nets:
                extra.after("D", nets, seen, clock)

    def remembered(self, nets: Nets) -> dict[str, Tensor]:
        """The numbers that parts keep, for the log: ADA's p, for instance."""
        kept = {type(part).__name__ for part in (*self.parts, self.path_length)} & set(nets)
        return {
            f"{name}/{number}": value.detach().clone()
            for name in sorted(kept)
            for number, value in nets[name].named_buffers()
            if value.dim() == 0 and value.is_floating_point()
        }

    def look(self, nets: Nets, batch: Batch, clock: Clock) -> Critic:
        """D behind the augmentation, of which all that it is shown has the same draw: so that penalties go through it."""
        critic, augment = judge(nets, batch), self.augment
        if augment is None:
            return critic
        draw = Draw(batch["x"].device)
        return lambda x: critic(draw(lambda: augment(x, clock, nets)))

    def fakes(self, nets: Nets, batch: Batch) -> Tensor:
        """As many samples as the batch holds, without gradients."""
        with torch.no_grad():
            return self.made(nets, batch)

    def made(self, nets: Nets, batch: Batch) -> Tensor:
        """As many samples as the batch holds, of the same labels."""
        x = batch["x"]
        return self.render(nets, {"z": self.noise(nets, len(x)).to(x.device), **asked_of(nets, batch)})


class Labels(nn.Module):
    """Labels as they come in the data, for samples that nobody asked a label of."""

    rows: Tensor  # float [K], the classes' shares; or [M, K], vectors to choose from

    def __init__(self, label: Condition) -> None:
        super().__init__()
        self.register_buffer("rows", torch.tensor(label.shares if label.kind == "class" else label.examples))

    def forward(self, n: int, generator: torch.Generator | None) -> Tensor:
        rows = self.rows.cpu()
        if rows.dim() == 1:
            return torch.multinomial(rows, n, replacement=True, generator=generator)
        return rows[torch.randint(len(rows), (n,), generator=generator)]


def conditional(nets: Nets) -> bool:
    """Whether the networks take a label."""
    return bool(getattr(nets["G"], "conditional", False))


def asked_of(nets: Nets, batch: Batch) -> dict[str, Tensor]:
    """What the networks take beside samples: the batch's labels, where they are conditional."""
    return {"label": batch["label"]} if conditional(nets) else {}


def judge(nets: Nets, batch: Batch) -> Critic:
    """D as objectives and penalties see it: logits in full precision, whatever D computes in; labels are the batch's."""
    given = asked_of(nets, batch)

    def critic(x: Tensor) -> Verdict:
        verdict = nets["D"](x, **given)
        return Verdict(verdict.logit.float(), verdict.features)

    return critic


def judged(critic: Critic, x: Tensor) -> Judged:
    return Judged(x, critic(x))


def logit(critic: Critic) -> Callable[[Tensor], Tensor]:
    return lambda x: critic(x).logit


def between(real: Tensor, fake: Tensor) -> Tensor:
    """A point on the line from each real to a fake, ε ~ U(0, 1) a sample. Gulrajani et al. 2017, algorithm 1."""
    epsilon = torch.rand([len(real)] + [1] * (real.dim() - 1), device=real.device)
    return torch.lerp(fake.float(), real.float(), epsilon)


@cache
def _stage(method: Adversarial) -> Stage:
    """The phases of a step. They are built once: the loop asks at every step."""
    after = {player: partial(method.after, player) if _changes(method, player) else None for player in "DG"}
    d = Phase("D", ("D",), method.play_d, repeat=method.critic_steps, after=after["D"])
    g = Phase("G", ("G",), method.play_g, after=after["G"])
    lazy = tuple(_lazy(method, penalty) for penalty in method.penalties if penalty.every > 1)
    path: tuple[Phase, ...] = ()
    if (smooth := method.path_length) is not None:
        path = (Phase(type(smooth).__name__, ("G",), method.play_path, every=smooth.every, after=smooth.after),)
    return Stage("adversarial", (g, *path, d, *lazy) if method.share_fakes else (d, *lazy, g, *path))


def _changes(method: Adversarial, player: str) -> bool:
    return any(player in extra.players for extra in method.parts)


def _lazy(method: Adversarial, penalty: CriticPenalty) -> Phase:
    def loss(nets: Nets, batch: Batch, clock: Clock) -> Turn:
        return method.play_penalty(penalty, nets, batch, clock)

    after = method.after_penalty if _changes(method, "D") else None
    return Phase(type(penalty).__name__, ("D",), loss, every=penalty.every, after=after)
