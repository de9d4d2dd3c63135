"""The game where samples are discrete: D pays G for what it draws. Williams 1992 (REINFORCE); Yu et al. 2017 (SeqGAN).

Rewards for each step: de Masson d'Autume et al. 2019 (ScratchGAN).
"""

from collections.abc import Mapping
from functools import cache
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ..configuration import config
from ..core import NO_REQUEST, Batch, Clock, Latents, Nets, Phase, Request, Spec, Stage, Traits, Turn
from ..errors import GanvasError, require
from ..nets.tokens import TokenGenerator
from ..system.distributed import gather_rows
from .timegan import ReachedStage, get_reached_stage


class ReturnBaseline(nn.Module):
    """What G usually earns from each position on: a running mean, b [T]."""

    usual: Tensor

    def __init__(self, positions: int) -> None:
        super().__init__()
        self.register_buffer("usual", torch.zeros(positions))

    def move_towards(self, returns: Tensor, is_running: Tensor, share: float) -> None:
        """Move by `share` towards the means of returns [N, T], where they count."""
        counts = is_running.sum(0)
        means = (returns * is_running).sum(0) / counts.clamp(min=1)
        self.usual.copy_(torch.where(counts > 0, torch.lerp(self.usual, means, share), self.usual))


@config
class PolicyGradient:
    """G learns the data's likelihood, then D learns, then both play: D's verdicts reward G's draws.

    likelihood, warm_up: the shares of the run for likelihood alone, and for D alone. The game has the rest.
    reward: "prefix" rewards each draw by the verdicts on the sample so far and later; "whole" by that on the whole sample.
    discount: what a verdict counts one step earlier.
    baseline_share: how far each step moves the usual return.
    entropy: weight of the entropy of G's draws, which keeps variety.
    likelihood_weight: weight of the data's likelihood in the game. 0 leaves G to D alone.
    policy_weight: weight of the rewards.
    critic_steps: steps of D for each step of G.
    """

    likelihood: float = 0.5
    warm_up: float = 0.1
    reward: Literal["prefix", "whole"] = "prefix"
    discount: float = 0.23
    baseline_share: float = 0.08
    entropy: float = 0.0
    likelihood_weight: float = 1.0
    policy_weight: float = 1.0
    critic_steps: int = 1

    def __post_init__(self) -> None:
        for name in ("likelihood", "warm_up", "discount"):
            require(0 <= getattr(self, name) <= 1, name, getattr(self, name), "from 0 to 1")
        require(self.likelihood + self.warm_up <= 1, "warm_up", self.warm_up, "at most what likelihood leaves of the run")
        require(0 < self.baseline_share <= 1, "baseline_share", self.baseline_share, "above 0, up to 1")
        for name in ("entropy", "likelihood_weight", "policy_weight"):
            require(0 <= getattr(self, name) < 1e6, name, getattr(self, name), "0 or more, below 1e6")
        require(1 <= self.critic_steps <= 1000, "critic_steps", self.critic_steps, "from 1 to 1000")

    @property
    def averaged_networks(self) -> tuple[str, ...]:
        return ("G",)

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        positions = get_token_generator(nets).draw_count
        return nn.ModuleDict({"baseline": ReturnBaseline(positions), "stage": ReachedStage()})

    def traits(self, nets: Nets) -> Traits:
        return Traits("G", ("D",), (), None)

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        stages, ends = _build_policy_stages(self), (self.likelihood, self.likelihood + self.warm_up)
        scheduled = sum(clock.samples >= end * clock.total for end in ends)
        return stages[max(scheduled, int(get_reached_stage(nets).number))]

    def draw_latents(
        self, nets: Nets, n: int, generator: torch.Generator | None = None, request: Request = NO_REQUEST
    ) -> Latents:
        """{"u": [n, T]}, one number for each draw, from the CPU; and {"truncation": [n]}, a temperature, if it is requested."""
        u = torch.rand(n, get_token_generator(nets).draw_count, generator=generator)
        return {"u": u} if request.truncation is None else {"u": u, "truncation": torch.full((n,), request.truncation)}

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return nets["G"](**latents)

    # ------------------------------------------------------------ the turns

    def play_likelihood(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        return Turn({"G/likelihood": measure_token_nll(nets, batch["x"])})

    def play_d(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        """Cross-entropy of D's logits on real and generated prefixes, as a mean over positions."""
        G, D = get_token_generator(nets), nets["D"]
        real_tokens = G.layout.read_tokens(batch["x"])
        fake_tokens = batch["tokens"] if "tokens" in batch and self.critic_steps == 1 else draw_fake_tokens(nets, batch["x"])
        real, fake = (D(G.layout.encode_tokens(tokens)).logits.float() for tokens in (real_tokens, fake_tokens))
        losses = softplus(-real), softplus(fake)
        counts = [G.layout.find_running(tokens) for tokens in (real_tokens, fake_tokens)]
        terms = [(loss * running).sum(1) / running.sum(1) for loss, running in zip(losses, counts, strict=True)]
        means = [(x.detach() * running).sum() / running.sum() for x, running in zip((real, fake), counts, strict=True)]
        return Turn({"D/adversarial": terms[0] + terms[1]}, {"D/real": means[0], "D/fake": means[1]})

    def play_g(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        G, usual = get_token_generator(nets), nets["baseline"].get_buffer("usual")
        tokens = draw_fake_tokens(nets, batch["x"])
        returns, is_running = self.earn_returns(nets, tokens)
        scores = G.score_tokens(tokens)
        terms = {"G/policy": -self.policy_weight * ((returns - usual) * is_running * scores.log_probabilities).sum(1)}
        if self.likelihood_weight:
            terms["G/likelihood"] = self.likelihood_weight * measure_token_nll(nets, batch["x"])
        entropy = scores.entropies.sum(1)
        if self.entropy:
            terms["G/entropy"] = -self.entropy * entropy
        counts = {"tokens": tokens, "returns": returns, "is_running": is_running}
        numbers = {"G/return": (returns * is_running).sum() / is_running.sum(), "G/nats": entropy.detach().mean()}
        return Turn(terms, counts | numbers)

    def earn_returns(self, nets: Nets, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(What each draw [N, T] earns from D, without gradients; which draws count)."""
        layout = get_token_generator(nets).layout
        is_running = layout.find_running(tokens)
        with torch.no_grad():
            rewards = (2 * nets["D"](layout.encode_tokens(tokens)).logits.float().sigmoid() - 1) * is_running
        if self.reward == "whole":
            last = is_running.sum(1, keepdim=True) - 1
            return rewards.gather(1, last).expand_as(rewards), is_running
        return sum_later_rewards(rewards, self.discount), is_running

    def after_likelihood(self, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        get_reached_stage(nets).number.fill_(0)

    def after_warm_up(self, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        get_reached_stage(nets).number.fill_(1)

    def after_g(self, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        """Every rank moves the baseline by the draws of all ranks."""
        get_reached_stage(nets).number.fill_(2)
        baseline = nets["baseline"]
        assert isinstance(baseline, ReturnBaseline)
        returns, is_running = (gather_rows(statistics[name]) for name in ("returns", "is_running"))
        baseline.move_towards(returns, is_running, self.baseline_share)


def get_token_generator(nets: Nets) -> TokenGenerator:
    """Raises GanvasError for a generator that draws no tokens."""
    G = nets["G"]
    if not isinstance(G, TokenGenerator):
        raise GanvasError(
            f"a policy gradient is for networks that draw letters or categories, not {type(G).__name__}: TokenGRUs"
        )
    return G


def measure_token_nll(nets: Nets, x: Tensor) -> Tensor:
    """-log p(x) of samples, in nats: [N]."""
    G = get_token_generator(nets)
    return -G.score_tokens(G.layout.read_tokens(x)).log_probabilities.sum(1)


@torch.no_grad()
def draw_fake_tokens(nets: Nets, x: Tensor) -> Tensor:
    """G's tokens [N, T], as many as x holds samples, from draws on the CPU."""
    G = get_token_generator(nets)
    return G.draw_tokens(torch.rand(len(x), G.draw_count).to(x.device))


def sum_later_rewards(rewards: Tensor, discount: float) -> Tensor:
    """R_t = Σ_s γ^(s − t)·r_s over s ≥ t, for rewards [N, T]."""
    steps = torch.arange(rewards.shape[1], device=rewards.device)
    apart = steps[:, None] - steps[None, :]  # [s, t]
    return (rewards.unsqueeze(2) * torch.where(apart >= 0, float(discount) ** apart.clamp(min=0), 0.0)).sum(1)


@cache
def _build_policy_stages(method: PolicyGradient) -> tuple[Stage, Stage, Stage]:
    learn = Phase("likelihood", ("G",), method.play_likelihood, after=method.after_likelihood)
    warm_up = Phase("warm up", ("D",), method.play_d, after=method.after_warm_up)
    g = Phase("G", ("G",), method.play_g, after=method.after_g)
    d = Phase("D", ("D",), method.play_d, repeat=method.critic_steps)
    return Stage("likelihood", (learn,)), Stage("warm up", (warm_up,)), Stage("game", (g, d), optimisers_to_reset=("G",))
