"""A game between embeddings of series, which a supervisor teaches to step on in time. Yoon et al. 2019 (TimeGAN)."""

from collections.abc import Mapping
from functools import cache, partial

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, softplus

from ..configuration import config
from ..core import NO_REQUEST, Batch, Clock, Latents, Nets, Phase, Request, Spec, Stage, Traits, Turn
from ..errors import GanvasError, require
from .adversarial import Adversarial

NETWORKS = ("G", "supervisor", "embedder", "recovery", "D")
UNIFORM_GAME = Adversarial(prior="uniform")  # draws latents as in a game
LEAST_ERROR = 1e-12  # keeps the derivative of a root finite
LEAST_VARIANCE = 1e-6  # of the authors' code


class ReachedStage(nn.Module):
    """The number of a run's stage, saved with the networks: a longer budget does not lead back to an earlier stage."""

    number: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("number", torch.zeros((), dtype=torch.long))


@config
class TimeGAN:
    """Three stages of equal length: the embedding alone, then the supervisor alone, then all networks, with G twice for each D.

    gamma: weight of D's verdict on embeddings that the supervisor has not seen.
    eta: weight of the supervisor's error in G's loss. The paper's text has 10, the authors' code 100.
    moments: weight of the distance of means and deviations in G's loss.
    reconstruction: weight of the root mean squared error of recovered windows in the embedder's loss.
    foresight: weight of the supervisor's squared error in the embedder's loss.
    least_d_loss: D does not learn while its loss is lower.
    """

    gamma: float = 1.0
    eta: float = 100.0
    moments: float = 100.0
    reconstruction: float = 10.0
    foresight: float = 0.1
    least_d_loss: float = 0.15

    def __post_init__(self) -> None:
        for name in ("gamma", "eta", "moments", "reconstruction", "foresight", "least_d_loss"):
            value = getattr(self, name)
            require(0 <= value < 1e6, name, value, "0 or more, below 1e6")

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return ("G", "supervisor", "recovery")

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        if not set(NETWORKS) <= set(nets):
            raise GanvasError("TimeGAN needs networks that embed series: take SeriesGRUs")
        return nn.ModuleDict({**UNIFORM_GAME.state(spec, nets), "stage": ReachedStage()})

    def traits(self, nets: Nets) -> Traits:
        return UNIFORM_GAME.traits(nets)._replace(critics=())  # D judges embeddings, not samples

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        stages = _build_timegan_stages(self)
        scheduled = min(len(stages) * clock.samples // clock.total, len(stages) - 1)
        return stages[max(scheduled, int(get_reached_stage(nets).number))]

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        return UNIFORM_GAME.draw_latents(nets, n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return nets["recovery"](nets["supervisor"](nets["G"](**latents)))

    # ------------------------------------------------------------ the turns

    def play_autoencoder(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        return Turn({"embedder/reconstruction": self.measure_reconstruction(nets, batch["x"], nets["embedder"](batch["x"]))})

    def play_supervisor(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        return Turn({"supervisor/steps": measure_step_error(nets, self.embed(nets, batch))})

    def play_g(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        D, early = nets["D"], self.draw_embeddings(nets, batch)
        late = nets["supervisor"](early)
        x, step_error = nets["recovery"](late), measure_step_error(nets, self.embed(nets, batch))
        terms = {
            "G/adversarial": softplus(-D(late).logits.float()).mean(1),
            "G/early": self.gamma * softplus(-D(early).logits.float()).mean(1),
            "G/steps": self.eta * (step_error + LEAST_ERROR).sqrt(),
            "G/moments": self.moments * measure_moment_distance(x.float(), batch["x"]),
        }
        return Turn(terms)

    def play_embedder(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        h = nets["embedder"](batch["x"])
        reconstruction = self.measure_reconstruction(nets, batch["x"], h)
        return Turn({"embedder/reconstruction": reconstruction, "embedder/steps": self.foresight * measure_step_error(nets, h)})

    def judge(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        """D's loss before its turn, and the embeddings that it judges."""
        with torch.no_grad():
            early = self.draw_embeddings(nets, batch)
            embeddings = {"real": self.embed(nets, batch), "early": early, "late": nets["supervisor"](early)}
            turn = self.play_d(nets, embeddings, clock)
        return turn._replace(statistics={**embeddings, "D/loss": turn.terms["D/adversarial"].mean()})

    def play_d(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        real, early, late = (nets["D"](batch[name]).logits.float() for name in ("real", "early", "late"))
        return Turn({"D/adversarial": (softplus(-real) + softplus(late) + self.gamma * softplus(early)).mean(1)})

    def is_d_due(self, statistics: Mapping[str, Tensor]) -> bool:
        return bool(statistics["D/loss"] > self.least_d_loss)

    def reach_stage(self, number: int, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        get_reached_stage(nets).number.fill_(number)

    # ------------------------------------------------------------ their parts

    def embed(self, nets: Nets, batch: Batch) -> Tensor:
        """Embeddings of x [N, T, W], without gradients."""
        with torch.no_grad():
            return nets["embedder"](batch["x"])

    def draw_embeddings(self, nets: Nets, batch: Batch) -> Tensor:
        """G's embeddings, as many as the batch holds samples."""
        return nets["G"](UNIFORM_GAME.draw_z(nets, len(batch["x"])).to(batch["x"].device))

    def measure_reconstruction(self, nets: Nets, x: Tensor, h: Tensor) -> Tensor:
        """The root mean squared error of what is recovered from embeddings of x."""
        return self.reconstruction * (mse_loss(nets["recovery"](h).float(), x) + LEAST_ERROR).sqrt()


def get_reached_stage(nets: Nets) -> ReachedStage:
    memory = nets["stage"]
    assert isinstance(memory, ReachedStage)
    return memory


def measure_step_error(nets: Nets, h: Tensor) -> Tensor:
    """The mean squared error of the supervisor, which says of each step of an embedding [N, T, H] what the next one is."""
    return mse_loss(nets["supervisor"](h)[:, :-1].float(), h[:, 1:].float())


def measure_moment_distance(fake: Tensor, real: Tensor) -> Tensor:
    """How far means and deviations over two batches [N, T, W] lie apart, as the mean over steps and numbers."""
    deviations = [(x.var(0, unbiased=False) + LEAST_VARIANCE).sqrt() for x in (fake, real)]
    return (deviations[0] - deviations[1]).abs().mean() + (fake.mean(0) - real.mean(0)).abs().mean()


@cache
def _build_timegan_stages(method: TimeGAN) -> tuple[Stage, Stage, Stage]:
    """Before the last one G has learnt nothing, so none of their checkpoints is the best."""
    embedding = Phase("embedder", ("embedder", "recovery"), method.play_autoencoder)
    supervision = Phase("supervisor", ("supervisor",), method.play_supervisor, after=partial(method.reach_stage, 1))
    g = Phase("G", ("G", "supervisor"), method.play_g, after=partial(method.reach_stage, 2))
    embedder = embedding._replace(loss=method.play_embedder)
    again = [phase._replace(name=f"{phase.name} again") for phase in (g, embedder)]  # a name of its own, for other noise
    judge = Phase("judge", (), method.judge)
    d = Phase("D", ("D",), method.play_d, needs_data=False, gate=method.is_d_due)
    return (
        Stage("embedding", (embedding,), is_full_size=False),
        Stage("supervision", (supervision,), is_full_size=False),
        Stage("joint", (g, embedder, *again, judge, d), optimisers_to_reset=NETWORKS),
    )
