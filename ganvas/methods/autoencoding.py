"""Learning to reconstruct samples from short codes, without a discriminator: the autoencoder and the VAE.

Kingma & Welling 2014; β-VAE: Higgins et al. 2017; optimal decoder noise: Rybkin et al. 2021, section 3.2.
"""

from collections.abc import Mapping
from functools import cache
from math import log, pi
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ..configuration import config
from ..core import NO_REQUEST, Batch, Clock, Latents, Nets, Phase, Request, Spec, Stage, Traits, Turn
from ..errors import GanvasError, require
from ..nets.wrappers.encoded import sample_posterior
from .adversarial import Adversarial
from .latents import conditions_of, get_generator

DEFAULT_GAME = Adversarial()  # draws latents and conditions as in a game


@runtime_checkable
class LikelihoodDecoder(Protocol):
    """A G that says itself how likely samples are, because their parts have other noise than pixels."""

    def measure_nll(self, z: Tensor, x: Tensor, **conditions: Tensor) -> Tensor:
        """-log p(x | z) of samples [N, …], in nats: [N]."""
        ...


class CodeStatistics(nn.Module):
    """Running mean and covariance of the codes. An autoencoder has no prior, so its samples are drawn from these.

    Ghosh et al. 2020, section 4.
    """

    mean: Tensor
    covariance: Tensor

    def __init__(self, z_dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(z_dim))
        self.register_buffer("covariance", torch.eye(z_dim))

    def move_towards(self, code: Tensor, share: float) -> None:
        """Move by `share` towards a batch of codes [N, z_dim]."""
        offset = code - self.mean
        self.mean.lerp_(code.mean(0), share)
        self.covariance.lerp_(offset.T @ offset / len(code), share)

    def forward(self, z: Tensor) -> Tensor:
        """z ~ N(0, I) [N, z_dim] -> codes with the data's mean and covariance."""
        values, vectors = torch.linalg.eigh(self.covariance)  # no Cholesky: unused directions make the matrix singular
        root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T  # symmetric, because the sign of eigenvectors is arbitrary
        return torch.addmm(self.mean, z, root)


@config
class Autoencoding:
    """Train E and G together on -log p(x | z) + β·KL(q(z | x) ‖ N(0, I)), in nats per sample.

    beta: 1 is the VAE, above 1 the β-VAE; 0 is the autoencoder, whose codes have no noise.
    sigma: of the pixels' normal noise, in x's units; None takes the best one for each batch, its root mean squared error.
    code_momentum: how far each step moves the autoencoder's code statistics towards the batch's, in (0, 1].
    """

    beta: float = 1.0
    sigma: float | None = None
    code_momentum: float = 0.01

    def __post_init__(self) -> None:
        require(0 <= self.beta < 1e6, "beta", self.beta, "0 or more, below 1e6")
        require(self.sigma is None or 0 < self.sigma < 1e3, "sigma", self.sigma, "above 0, below 1000")
        require(0 < self.code_momentum <= 1, "code_momentum", self.code_momentum, "in (0, 1]")

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return ("E", "G")

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        if "E" not in nets:
            raise GanvasError("Autoencoding needs networks with an encoder: wrap them in WithEncoder")
        memories = DEFAULT_GAME.state(spec, nets)
        if not self.beta:
            memories["codes"] = CodeStatistics(get_generator(nets).z_dim)
        return memories

    def traits(self, nets: Nets) -> Traits:
        return DEFAULT_GAME.traits(nets)._replace(critics=())

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return _build_autoencoding_stage(self)

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        return DEFAULT_GAME.draw_latents(nets, n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        inputs = {**latents, "z": nets["codes"](latents["z"])} if "codes" in nets else latents
        return nets["G"](**inputs)

    def reconstruct(self, nets: Nets, batch: Batch) -> Tensor:
        """Reconstruct x from the mean of its posterior; the same shape."""
        return reconstruct_batch(nets, batch)

    def play_autoencoder(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        x, conditions = batch["x"], conditions_of(nets, batch)
        mean, log_variance = nets["E"](x, **conditions)
        code = sample_posterior(mean, log_variance) if self.beta else mean
        terms, statistics = dict[str, Tensor](), {"code": mean.detach()}
        if isinstance(G := nets["G"], LikelihoodDecoder):
            terms["G/reconstruction"] = G.measure_nll(code, x, **conditions)
        else:
            error = (G(code, **conditions).float() - x.float()).square().flatten(1)
            terms["G/reconstruction"] = measure_gaussian_nll(error, self.sigma)
            statistics["G/error"] = error.detach().mean()
        if self.beta:
            terms["E/kl"] = self.beta * measure_kl_from_prior(mean, log_variance)
        return Turn(terms, statistics)

    def after(self, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        if "codes" in nets:
            nets["codes"].move_towards(statistics["code"], self.code_momentum)  # type: ignore[operator]


def reconstruct_batch(nets: Nets, batch: Batch) -> Tensor:
    conditions = conditions_of(nets, batch)
    return nets["G"](nets["E"](batch["x"], **conditions)[0], **conditions)


def measure_gaussian_nll(error: Tensor, sigma: float | None) -> Tensor:
    """-log N(x; x̂, σ²) [N] from squared errors [N, D]; without `sigma`, σ² is their mean. Rybkin et al. 2021, eq. 5."""
    if sigma is not None:
        return error.sum(1) / (2 * sigma**2) + error.shape[1] * log(sigma * (2 * pi) ** 0.5)
    best_variance = error.mean()  # one value for the batch, so that all samples get the same loss
    return (0.5 * error.shape[1] * (best_variance.log() + 1 + log(2 * pi))).expand(len(error))


def measure_kl_from_prior(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, I)) [N]. Kingma & Welling 2014, appendix B."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


@cache
def _build_autoencoding_stage(method: Autoencoding) -> Stage:
    return Stage("autoencoding", (Phase("autoencoder", ("E", "G"), method.play_autoencoder, after=method.after),))
