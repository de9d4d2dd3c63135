"""The two-player game: D learns to tell real from fake, G to be taken for real. Goodfellow et al. 2014, algorithm 1."""

from collections.abc import Callable
from functools import cache
from typing import Literal

import torch
from torch import Tensor, nn

from ..config import config
from ..core import Augment, Batch, Clock, CriticPenalty, Latents, Nets, Objective, Phase, Spec, Stage, Turn
from ..errors import GanvasError
from ..objectives import NonSaturating


@config
class Adversarial:
    """G against D.

    objective: the two losses, in logits.
    penalties: on D; those with `every` above 1 become phases of their own.
    critic_steps: D's steps for each of G's.
    share_fakes: G moves first and D judges the same fakes, which saves making them twice.
    augment: what D sees of every sample, real or generated.
    prior: what z is drawn from, N(0, 1) or U(-1, 1).
    """

    objective: Objective = NonSaturating()
    penalties: tuple[CriticPenalty, ...] = ()
    critic_steps: int = 1
    share_fakes: bool = False
    augment: Augment | None = None
    prior: Literal["normal", "uniform"] = "normal"

    def __post_init__(self) -> None:
        names = [type(penalty).__name__ for penalty in self.penalties]
        if len(names) != len(set(names)):
            raise GanvasError(f"penalties must differ, got {', '.join(names)}: change the setting of one instead")
        if not 1 <= self.critic_steps <= 1000:
            raise GanvasError(f"critic_steps must be between 1 and 1000, got {self.critic_steps}: --method.critic-steps 1")

    @property
    def averaged(self) -> tuple[str, ...]:
        return ("G",)

    def state(self, spec: Spec) -> nn.ModuleDict:
        label = spec.conditions.get("label")
        return nn.ModuleDict({"labels": Shares(label.shares)} if label is not None and label.kind == "class" else {})

    def stage(self, clock: Clock) -> Stage:
        return _stage(self)

    def latents(self, nets: Nets, n: int, generator: torch.Generator | None = None) -> Latents:
        """{"z": [n, z_dim]}, and {"label": [n]} as often as in the data where G has classes.

        Drawn on the CPU, so that a seed means the same samples on every device.
        """
        z = self.noise(nets, n, generator)
        return {"z": z, "label": nets["labels"](n, generator)} if conditional(nets) else {"z": z}

    def noise(self, nets: Nets, n: int, generator: torch.Generator | None = None) -> Tensor:
        size = (n, int(nets["G"].z_dim))  # type: ignore[arg-type]
        if self.prior == "uniform":
            return torch.rand(size, generator=generator) * 2 - 1
        return torch.randn(size, generator=generator)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return nets["G"](**latents)

    def play_d(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        critic, real = judge(nets, batch), self.augmented(batch["x"])
        fake = self.augmented(batch["fake"] if self.share_fakes else self.fakes(nets, batch))
        on_real, on_fake = critic(real), critic(fake)
        terms = {"D/adversarial": self.objective.d(on_real, on_fake)}
        judged = {"real": (real, on_real), "fake": (fake, on_fake)}
        for penalty in self.penalties:
            if penalty.every == 1:
                x, logits = judged[penalty.on] if penalty.on in judged else (between(real, fake), None)
                terms[f"D/{type(penalty).__name__}"] = penalty(critic, x, logits, clock)
        return Turn(terms, {"D/real": on_real.detach().mean(), "D/fake": on_fake.detach().mean()})

    def play_g(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        critic, real = judge(nets, batch), batch["x"]

        def on_real() -> Tensor:
            with torch.no_grad():
                return critic(self.augmented(real))

        fake = self.made(nets, batch)
        terms = {"G/adversarial": self.objective.g(critic(self.augmented(fake)), on_real)}
        # with the reals and labels that go with them: D's own batch is another
        return Turn(terms, {"fake": fake.detach(), "x": real, **asked(nets, batch)} if self.share_fakes else {})

    def play_penalty(self, penalty: CriticPenalty, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        """A lazy penalty, by itself and times its interval. Karras et al. 2020, appendix B."""
        x = self.augmented(batch["x"])
        if penalty.on != "real":
            fake = self.augmented(self.fakes(nets, batch))
            x = fake if penalty.on == "fake" else between(x, fake)
        return Turn({f"D/{type(penalty).__name__}": penalty.every * penalty(judge(nets, batch), x, None, clock)})

    def augmented(self, x: Tensor) -> Tensor:
        """Samples as D sees them. Penalties are taken there: two looks at one sample must not differ by their augmentation."""
        return x if self.augment is None else self.augment(x)

    def fakes(self, nets: Nets, batch: Batch) -> Tensor:
        """As many samples as the batch holds, without gradients."""
        with torch.no_grad():
            return self.made(nets, batch)

    def made(self, nets: Nets, batch: Batch) -> Tensor:
        """As many samples as the batch holds, of the same labels."""
        x = batch["x"]
        return self.render(nets, {"z": self.noise(nets, len(x)).to(x.device), **asked(nets, batch)})


class Shares(nn.Module):
    """How often each class comes in the data, [K]: labels for samples that nobody asked a label of."""

    shares: Tensor

    def __init__(self, shares: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("shares", torch.tensor(shares))

    def forward(self, n: int, generator: torch.Generator | None) -> Tensor:
        return torch.multinomial(self.shares.cpu(), n, replacement=True, generator=generator)


def conditional(nets: Nets) -> bool:
    """Whether the networks take a class."""
    return int(getattr(nets["G"], "classes", 0)) > 0


def asked(nets: Nets, batch: Batch) -> dict[str, Tensor]:
    """What the networks take beside samples: the batch's labels, where they have classes."""
    return {"label": batch["label"]} if conditional(nets) else {}


def judge(nets: Nets, batch: Batch) -> Callable[[Tensor], Tensor]:
    """D as objectives and penalties see it: logits in full precision, whatever D computes in; labels are the batch's."""
    given = asked(nets, batch)
    return lambda x: nets["D"](x, **given).float()


def between(real: Tensor, fake: Tensor) -> Tensor:
    """A point on the line from each real to a fake, ε ~ U(0, 1) a sample. Gulrajani et al. 2017, algorithm 1."""
    epsilon = torch.rand([len(real)] + [1] * (real.dim() - 1), device=real.device)
    return torch.lerp(fake.float(), real.float(), epsilon)


@cache
def _stage(method: Adversarial) -> Stage:
    """The phases of a step. They are built once: the loop asks at every step."""
    d = Phase("D", ("D",), method.play_d, repeat=method.critic_steps)
    g = Phase("G", ("G",), method.play_g)
    lazy = tuple(_lazy(method, penalty) for penalty in method.penalties if penalty.every > 1)
    return Stage("adversarial", (g, d, *lazy) if method.share_fakes else (d, *lazy, g))


def _lazy(method: Adversarial, penalty: CriticPenalty) -> Phase:
    def loss(nets: Nets, batch: Batch, clock: Clock) -> Turn:
        return method.play_penalty(penalty, nets, batch, clock)

    return Phase(type(penalty).__name__, ("D",), loss, every=penalty.every)
