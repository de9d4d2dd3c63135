"""The two-player game: D learns to tell real from fake, G to be taken for real. Goodfellow et al. 2014, algorithm 1."""

from collections.abc import Callable
from functools import cache
from typing import Literal

import torch
from torch import Tensor, nn

from ..config import config
from ..core import Batch, Clock, CriticPenalty, Latents, Nets, Objective, Phase, Spec, Stage, Turn
from ..errors import GanvasError
from ..objectives import NonSaturating


@config
class Adversarial:
    """G against D.

    objective: the two losses, in logits.
    penalties: on D; those with `every` above 1 become phases of their own.
    critic_steps: D's steps for each of G's.
    share_fakes: G moves first and D judges the same fakes, which saves making them twice.
    prior: what z is drawn from, N(0, 1) or U(-1, 1).
    """

    objective: Objective = NonSaturating()
    penalties: tuple[CriticPenalty, ...] = ()
    critic_steps: int = 1
    share_fakes: bool = False
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
        return nn.ModuleDict()

    def stage(self, clock: Clock) -> Stage:
        return _stage(self)

    def latents(self, nets: Nets, n: int, generator: torch.Generator | None = None) -> Latents:
        """{"z": [n, z_dim]}, drawn on the CPU so that a seed means the same samples on every device."""
        size = (n, int(nets["G"].z_dim))  # type: ignore[arg-type]
        if self.prior == "uniform":
            return {"z": torch.rand(size, generator=generator) * 2 - 1}
        return {"z": torch.randn(size, generator=generator)}

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return nets["G"](latents["z"])

    def play_d(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        critic, real = judge(nets), batch["x"]
        fake = batch["fake"] if self.share_fakes else self.fakes(nets, real)
        on_real, on_fake = critic(real), critic(fake)
        terms = {"D/adversarial": self.objective.d(on_real, on_fake)}
        judged = {"real": (real, on_real), "fake": (fake, on_fake)}
        for penalty in self.penalties:
            if penalty.every == 1:
                x, logits = judged[penalty.on] if penalty.on in judged else (between(real, fake), None)
                terms[f"D/{type(penalty).__name__}"] = penalty(critic, x, logits, clock)
        return Turn(terms, {"D/real": on_real.detach().mean(), "D/fake": on_fake.detach().mean()})

    def play_g(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        critic, real = judge(nets), batch["x"]

        def on_real() -> Tensor:
            with torch.no_grad():
                return critic(real)

        fake = self.render(nets, self._on(real, self.latents(nets, len(real))))
        terms = {"G/adversarial": self.objective.g(critic(fake), on_real)}
        return Turn(terms, {"fake": fake.detach()} if self.share_fakes else {})

    def play_penalty(self, penalty: CriticPenalty, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        """A lazy penalty, by itself and times its interval. Karras et al. 2020, appendix B."""
        x = batch["x"]
        if penalty.on != "real":
            fake = self.fakes(nets, x)
            x = fake if penalty.on == "fake" else between(x, fake)
        return Turn({f"D/{type(penalty).__name__}": penalty.every * penalty(judge(nets), x, None, clock)})

    def fakes(self, nets: Nets, like: Tensor) -> Tensor:
        """As many samples as `like` holds, without gradients."""
        with torch.no_grad():
            return self.render(nets, self._on(like, self.latents(nets, len(like))))

    def _on(self, like: Tensor, latents: Latents) -> Latents:
        return {name: value.to(like.device) for name, value in latents.items()}


def judge(nets: Nets) -> Callable[[Tensor], Tensor]:
    """D as objectives and penalties see it: logits in full precision, whatever D computes in."""
    return lambda x: nets["D"](x).float()


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
