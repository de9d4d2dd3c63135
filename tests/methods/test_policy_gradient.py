"""Rewards of draws, and what G learns from them."""

import itertools
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ganvas.core import Clock, CriticOutput, Field, Nets, Request, Spec, seeded_generator
from ganvas.errors import GanvasError
from ganvas.media import LettersCodec
from ganvas.methods import PolicyGradient
from ganvas.methods.policy_gradient import ReturnBaseline, draw_fake_tokens, sum_later_rewards
from ganvas.nets import MLP, TokenGRUs
from ganvas.nets.tokens.generator import choose_by_cdf
from ganvas.sampling.stream import stream_samples
from small_recipes import LETTERS, POINT

CODEC = LettersCodec(alphabet="abc", length=6)
WHOLE = PolicyGradient(reward="whole", likelihood_weight=0.0)


def build(spec: Spec = LETTERS, method: PolicyGradient = WHOLE) -> Nets:
    torch.manual_seed(0)
    nets = TokenGRUs(width=8, d_width=8, embedding=4, dropout=0.0).build(spec)
    for name, module in method.state(spec, nets).items():
        nets[name] = module
    return nets


class LikesFirstLetter(nn.Module):
    """Logits of 4 for an "a" and -4 for all else."""

    def forward(self, x: Tensor) -> CriticOutput:
        return CriticOutput(8 * x[..., 1] - 4, x.flatten(1))


def test_rewards_are_discounted_by_how_much_later_they_come() -> None:
    returns = sum_later_rewards(torch.tensor([[1.0, 2.0, 4.0]]), 0.5)
    torch.testing.assert_close(returns, torch.tensor([[1 + 1 + 1, 2 + 2, 4.0]]))
    torch.testing.assert_close(sum_later_rewards(torch.tensor([[1.0, 2.0]]), 0.0), torch.tensor([[1.0, 2.0]]))


def test_the_inverse_cdf_never_draws_what_has_no_share() -> None:
    logits = torch.tensor([[-1e9, 0.0, -1e9, 0.0, -1e9]]).expand(4, -1)
    u = torch.tensor([0.0, 0.4999, 0.5, 1 - 2**-24])
    assert choose_by_cdf(logits, u).tolist() == [1, 1, 3, 3]


def test_draws_are_as_frequent_as_their_probabilities() -> None:
    shares = torch.tensor([0.1, 0.6, 0.3])
    tokens = choose_by_cdf(shares.log().expand(20_000, -1), torch.rand(20_000, generator=seeded_generator(0)))
    torch.testing.assert_close(tokens.bincount() / 20_000, shares, atol=0.012, rtol=0)


@pytest.mark.parametrize("usual", [0.0, 0.7])
def test_the_policy_gradient_is_the_gradient_of_the_expected_reward(usual: float) -> None:
    """Over all sequences of two positions, weighted by their probabilities; the baseline changes nothing."""
    nets = build(Spec((2, 3), (Field("letter", 3, "categorical", end=0),), {}))
    G, tokens = nets["G"], torch.tensor([*itertools.product(range(3), range(3))])
    tokens = tokens[(tokens[:, 0] != 0) | (tokens[:, 1] == 0)]  # after the end there is only the end
    returns, is_running = WHOLE.earn_returns(nets, tokens)
    scores = G.score_tokens(tokens).log_probabilities
    shares = scores.sum(1).exp()
    torch.testing.assert_close(shares.sum(), torch.tensor(1.0))
    expected = torch.autograd.grad((shares * returns[:, 0]).sum(), list(G.parameters()), retain_graph=True)
    policy = (shares.detach() * ((returns - usual) * is_running * scores).sum(1)).sum()
    for a, b in zip(torch.autograd.grad(policy, list(G.parameters())), expected, strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("reward", ["prefix", "whole"])
def test_g_learns_to_draw_what_pays(reward: str) -> None:
    method = replace(WHOLE, reward=reward)
    nets = build(method=method)
    nets["D"] = LikesFirstLetter()
    x, optimiser = torch.zeros(64, 6, 4), torch.optim.Adam(nets["G"].parameters(), 0.03)
    for step in range(60):
        turn = method.play_g(nets, {"x": x}, Clock(step, 0, 1))
        optimiser.zero_grad()
        turn.terms["G/policy"].mean().backward()
        optimiser.step()
        method.after_g(nets, turn.statistics, Clock(step, 0, 1))
    tokens, is_running = (turn.statistics[name] for name in ("tokens", "is_running"))
    assert (tokens[is_running] == 1).float().mean() > 0.7  # a quarter at first
    assert nets["baseline"].usual[0] > 0


def test_the_baseline_moves_by_the_means_of_what_counts() -> None:
    baseline = ReturnBaseline(2)
    baseline.move_towards(torch.tensor([[1.0, 9.0], [3.0, 5.0]]), torch.tensor([[True, False], [True, False]]), 0.5)
    assert baseline.usual.tolist() == [1.0, 0.0]


def test_stages_follow_the_shares_and_never_go_back() -> None:
    method = PolicyGradient(likelihood=0.5, warm_up=0.1)
    nets = build(method=method)
    names = [method.stage(nets, Clock(0, samples, 100)).name for samples in (0, 49, 50, 59, 60, 99)]
    assert names == ["likelihood"] * 2 + ["warm up"] * 2 + ["game"] * 2
    nets["stage"].number.fill_(2)
    assert method.stage(nets, Clock(0, 60, 1000)).name == "game"  # the budget has grown
    assert PolicyGradient(likelihood=1.0, warm_up=0.0).stage(build(), Clock(0, 99, 100)).name == "likelihood"


def test_a_seed_is_a_sample_however_many_are_drawn() -> None:
    nets = build()
    few, many = (torch.cat(list(stream_samples(WHOLE, nets, CODEC, n, 5))) for n in (3, 70))
    assert torch.equal(few, many[:3])
    assert not torch.equal(few, torch.cat(list(stream_samples(WHOLE, nets, CODEC, 3, 6))))
    assert not (many[:, :-1].eq(0) & many[:, 1:].ne(0)).any()  # nothing after the end


def test_the_score_of_tokens_is_the_probability_of_their_draws() -> None:
    nets = build()
    with torch.no_grad():
        tokens = draw_fake_tokens(nets, torch.zeros(4000, 6, 4))
        counts = {row: count for row, count in zip(*map(list, _count_rows(tokens)), strict=True) if count > 200}
        scores = nets["G"].score_tokens(torch.tensor([*counts])).log_probabilities.sum(1).exp()
    assert counts
    torch.testing.assert_close(torch.tensor([*counts.values()]) / 4000, scores, atol=0.02, rtol=0)


def _count_rows(tokens: Tensor) -> tuple[list[tuple[int, ...]], list[int]]:
    rows, counts = tokens.unique(dim=0, return_counts=True)
    return [tuple(row) for row in rows.tolist()], counts.tolist()


def test_truncation_is_a_temperature() -> None:
    nets = build()
    with torch.no_grad():
        nets["G"].head.weight.mul_(20)
    requests = [Request({}, temperature) for temperature in (0.05, 1.0)]
    cold, warm = (torch.cat(list(stream_samples(WHOLE, nets, CODEC, 64, 0, request=request))) for request in requests)
    assert len(cold.unique(dim=0)) < len(warm.unique(dim=0))


def test_a_row_has_the_values_of_its_own_columns() -> None:
    spec = Spec((5,), (Field("a", 3, "categorical"), Field("b", 2, "categorical")), {})
    nets = build(spec)
    x = WHOLE.render(nets, WHOLE.draw_latents(nets, 50, seeded_generator(0)))
    assert x.shape == (50, 5)
    assert (x[:, :3].sum(1) == 1).all()
    assert (x[:, 3:].sum(1) == 1).all()
    layout = nets["G"].layout
    assert torch.equal(layout.encode_tokens(layout.read_tokens(x)), x)
    assert WHOLE.play_g(nets, {"x": x}, Clock(0, 0, 1)).terms["G/policy"].shape == (50,)


def test_other_samples_and_networks_are_refused() -> None:
    with pytest.raises(GanvasError, match="categories and letters alone, and size is none"):
        TokenGRUs().build(Spec((4,), (Field("a", 3, "categorical"), Field("size", 1)), {}))
    with pytest.raises(GanvasError, match="these samples have none"):
        TokenGRUs().build(POINT)
    with pytest.raises(GanvasError, match="letters or categories, not"):
        WHOLE.state(POINT, MLP().build(POINT))
    with pytest.raises(GanvasError, match="warm_up"):
        PolicyGradient(likelihood=0.8, warm_up=0.3)
