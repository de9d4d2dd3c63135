"""Learning to make samples again from short codes: the autoencoder, and the VAE, whose codes can be drawn. No adversary.

Kingma & Welling 2014; β-VAE: Higgins et al. 2017; the best noise of a decoder: Rybkin et al. 2021, section 3.2.
"""

from collections.abc import Mapping
from functools import cache
from math import log, pi

import torch
from torch import Tensor, nn

from ..config import config
from ..core import ANY, Asked, Batch, Clock, Latents, Nets, Phase, Spec, Stage, Turn
from ..errors import GanvasError, refuse
from ..nets.wrappers.encoded import sampled
from .adversarial import Adversarial, asked_of

DRAWS = Adversarial()  # samples are drawn and labelled as in a game


class Codes(nn.Module):
    """Mean and covariance of the codes, followed while training: what an autoencoder's samples are drawn from, for it has
    no prior. Ghosh et al. 2020, section 4."""

    mean: Tensor
    covariance: Tensor

    def __init__(self, z_dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(z_dim))
        self.register_buffer("covariance", torch.eye(z_dim))

    def follow(self, code: Tensor, share: float) -> None:
        """Move by `share` towards a batch of codes [N, z_dim]."""
        offset = code - self.mean
        self.mean.lerp_(code.mean(0), share)
        self.covariance.lerp_(offset.T @ offset / len(code), share)

    def forward(self, z: Tensor) -> Tensor:
        """z ~ N(0, I) [N, z_dim] -> codes like the data's."""
        values, vectors = torch.linalg.eigh(self.covariance)  # no Cholesky: some directions may never have been used
        root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T  # symmetric: vectors have no sign of their own
        return torch.addmm(self.mean, z, root)


@config
class Autoencoding:
    """E and G together: -log p(x | z) + β·KL(q(z | x) ‖ N(0, I)), in nats a sample.

    beta: 1 is the VAE, above it the β-VAE; 0 is the autoencoder, whose codes have no noise.
    sigma: of the pixels' normal noise, in x's units; None is the best one for each batch, the root of its mean squared error.
    follow: share by which each step moves the autoencoder's statistics of codes.
    """

    beta: float = 1.0
    sigma: float | None = None
    follow: float = 0.01

    def __post_init__(self) -> None:
        refuse(not 0 <= self.beta < 1e6, "method.beta", self.beta, "0 or more", "--method.beta 1")
        refuse(
            self.sigma is not None and not 0 < self.sigma < 1e3, "method.sigma", self.sigma, "positive", "--method.sigma 0.2"
        )
        refuse(not 0 < self.follow <= 1, "method.follow", self.follow, "in (0, 1]", "--method.follow 0.01")

    @property
    def averaged(self) -> tuple[str, ...]:
        return ("E", "G")

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        if "E" not in nets:
            raise GanvasError("Autoencoding wants networks with an encoder: Encoded")
        kept = DRAWS.state(spec, nets)
        if not self.beta:
            kept["codes"] = Codes(int(nets["G"].z_dim))  # type: ignore[arg-type]
        return kept

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return _stage(self)

    def latents(self, nets: Nets, n: int, generator: torch.Generator | None = None, asked: Asked = ANY) -> Latents:
        return DRAWS.latents(nets, n, generator, asked)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        given = {**latents, "z": nets["codes"](latents["z"])} if "codes" in nets else latents
        return nets["G"](**given)

    def reconstruct(self, nets: Nets, batch: Batch) -> Tensor:
        """x made again from the middle of its posterior, of the same shape."""
        return reconstructed(nets, batch)

    def play(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        x, given = batch["x"], asked_of(nets, batch)
        mean, log_variance = nets["E"](x, **given)
        code = sampled(mean, log_variance) if self.beta else mean
        error = (nets["G"](code, **given).float() - x.float()).square().flatten(1)
        terms = {"G/reconstruction": surprise(error, self.sigma)}
        if self.beta:
            terms["E/kl"] = self.beta * divergence(mean, log_variance)
        return Turn(terms, {"code": mean.detach(), "G/error": error.detach().mean()})

    def after(self, nets: Nets, seen: Mapping[str, Tensor], clock: Clock) -> None:
        if "codes" in nets:
            nets["codes"].follow(seen["code"], self.follow)  # type: ignore[operator]


def reconstructed(nets: Nets, batch: Batch) -> Tensor:
    given = asked_of(nets, batch)
    return nets["G"](nets["E"](batch["x"], **given)[0], **given)


def surprise(error: Tensor, sigma: float | None) -> Tensor:
    """-log N(x; x̂, σ²) [N] of squared errors [N, D]; with σ² their mean where it is not given. Rybkin et al. 2021, eq. 5."""
    if sigma is not None:
        return error.sum(1) / (2 * sigma**2) + error.shape[1] * log(sigma * (2 * pi) ** 0.5)
    best = error.mean()  # constant over the batch, so that each sample's share is the same
    return (0.5 * error.shape[1] * (best.log() + 1 + log(2 * pi))).expand(len(error))


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, I)) [N]. Kingma & Welling 2014, appendix B."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


@cache
def _stage(method: Autoencoding) -> Stage:
    return Stage("autoencoding", (Phase("autoencoder", ("E", "G"), method.play, after=method.after),))
