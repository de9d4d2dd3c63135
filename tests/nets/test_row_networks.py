"""CTGAN's and TVAE's networks: sizes, packs, how categories are drawn, and the likelihood."""

from functools import partial

import pytest
import torch
from torch.distributions import Categorical, Normal

from ganvas.core import Clock, CriticOutput, Field, ShownSamples, Spec
from ganvas.errors import GanvasError, SettingError
from ganvas.losses import GradientPenalty
from ganvas.media import CategoryCondition
from ganvas.methods.critics import collect_penalties, interpolate_pairs
from ganvas.nets import CTGAN, TVAE
from ganvas.nets.tables.field_sizes import choose_categories

CONDITION = CategoryCondition(columns=("a", "b"), values=(("x", "y", "z"), ("p", "q")), shares=((0.5, 0.3, 0.2), (0.6, 0.4)))
FIELDS = (
    Field("a", 3, "categorical"), Field("b", 2, "categorical"), Field("c", 4, "categorical"), Field("c.alpha", 1),
)  # fmt: skip
SPEC = Spec((10,), FIELDS, {"category": CONDITION})
W, C = 10, 5


def count_parameters(net: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def test_ctgan_has_the_papers_sizes() -> None:
    built = CTGAN().build(SPEC)
    h = 128 + C
    assert built["G"].z_dim == 128 + 3
    assert count_parameters(built["G"]) == (h + 1) * 256 + 512 + (h + 257) * 256 + 512 + (h + 513) * W
    assert count_parameters(built["D"]) == (10 * (W + C) + 1) * 256 + 257 * 256 + 257


def test_tvae_has_the_papers_sizes() -> None:
    built = TVAE().build(SPEC)
    assert built["G"].z_dim == 128 + 3 + 1
    assert count_parameters(built["E"]) == (W + 1) * 128 + 129 * 128 + 129 * 256
    assert count_parameters(built["G"]) == 2 * 129 * 128 + 129 * W + 1


def test_a_logit_depends_on_its_pack_alone() -> None:
    D = CTGAN(pack=5).build(SPEC)["D"].eval()
    x, category = torch.rand(15, W), torch.arange(15) % C
    logits = D(x, category).logits
    assert logits.shape == (3,)
    for row in range(15):
        moved = x.clone()
        moved[row] += 1
        others = category.clone()
        others[row] = (category[row] + 1) % C
        for changed in (D(moved, category).logits, D(x, others).logits):
            assert (changed != logits).nonzero().flatten().tolist() == [row // 5]


def test_the_first_rows_fill_the_last_pack() -> None:
    D = CTGAN(pack=5).build(SPEC)["D"].eval()
    x, category = torch.rand(7, W), torch.arange(7) % C
    logits = D(x, category).logits
    assert logits.shape == (2,)
    assert torch.equal(logits, D(torch.cat([x, x[:3]]), torch.cat([category, category[:3]])).logits)
    real = ShownSamples(x, D(x, category))
    critic = partial(D, category=category)
    terms = collect_penalties("D", (GradientPenalty(),), (critic, critic), real, real, Clock(0, 0, 1))
    assert terms["D/GradientPenalty"].shape == (2,)
    with pytest.raises(SettingError, match="pack"):
        CTGAN(pack=0)


def test_the_penalty_takes_one_point_and_one_slope_a_pack() -> None:
    """A critic that is linear in a pack has the same slope everywhere: the norm of all its weights."""
    weight = torch.randn(5, W)

    def judge(x: torch.Tensor) -> CriticOutput:
        packs = x.view(-1, 5, W)
        return CriticOutput((packs * weight).sum((1, 2)), packs.flatten(1))

    real, fake = torch.zeros(20, W), torch.ones(20, W)
    points = interpolate_pairs(real, fake, pack=5).view(4, 5 * W)
    assert torch.equal(points, points[:, :1].expand_as(points))
    assert len(set(points[:, 0].tolist())) == 4
    shown = [ShownSamples(x, judge(x)) for x in (real, fake)]
    terms = collect_penalties("D", (GradientPenalty(gamma=10.0),), (judge, judge), *shown, Clock(0, 0, 1))
    assert torch.allclose(terms["D/GradientPenalty"], (10 * (weight.norm() - 1) ** 2).expand(4), rtol=1e-5)


def test_categories_have_the_softmax_as_frequencies() -> None:
    logits = torch.tensor([1.0, 0.0, -2.0])
    torch.manual_seed(0)
    drawn = choose_categories(logits.expand(40_000, 3), torch.randn(40_000)).mean(0)
    assert torch.allclose(drawn, logits.softmax(0), atol=0.01)


def test_training_draws_soft_ones_with_the_same_winners() -> None:
    G = CTGAN().build(SPEC)["G"]
    logits = torch.randn(1, W).expand(40_000, W)
    torch.manual_seed(0)
    x = G.draw_softly(logits, torch.empty(0))
    assert torch.allclose(x[:, :3].sum(1), torch.ones(40_000))
    winners = torch.bincount(x[:, :3].argmax(1), minlength=3) / 40_000
    assert torch.allclose(winners, logits[0, :3].softmax(0), atol=0.01)
    assert torch.equal(x[:, 9], logits[:, 9].tanh())


@pytest.mark.parametrize("nets", [CTGAN(width=16), TVAE(width=16)], ids=["ctgan", "tvae"])
def test_a_row_does_not_depend_on_those_beside_it(nets: CTGAN | TVAE) -> None:
    G = nets.build(SPEC)["G"]
    given = {name: torch.arange(50) % C for name in G.conditions}
    z = torch.randn(50, G.z_dim)
    G(z, **given)  # batch norm's statistics
    G.eval()
    x = G(z, **given)
    assert torch.equal(x, G(z, **given))
    alone = torch.cat([G(z[i : i + 1], **{name: value[i : i + 1] for name, value in given.items()}) for i in range(50)])
    assert torch.equal(x[:, :9], alone[:, :9])
    assert torch.allclose(x, alone, atol=1e-6)
    for start, end in ((0, 3), (3, 5), (5, 9)):
        assert torch.equal(x[:, start:end].sum(1), torch.ones(50))
        assert len(x[:, start:end].unique(dim=0)) > 1


def test_the_likelihood_is_that_of_its_distributions() -> None:
    G = TVAE(width=16).build(SPEC)["G"]
    G.log_sigma.data.fill_(-1.0)
    z = torch.randn(6, G.z_dim)
    x = torch.cat([torch.eye(n)[torch.randint(n, (6,))] for n in (3, 2, 4)] + [torch.rand(6, 1) * 2 - 1], 1)
    h = G.compute_heads(z)
    parts = zip(h[:, :9].split([3, 2, 4], 1), x[:, :9].split([3, 2, 4], 1), strict=True)
    expected = -sum(Categorical(logits=logits).log_prob(one_hot.argmax(1)) for logits, one_hot in parts)
    expected = expected - Normal(h[:, 9].tanh(), 0.01 + torch.tensor(-1.0).exp()).log_prob(x[:, 9])
    assert torch.allclose(G.measure_nll(z, x), expected, atol=1e-5)


def test_numbers_of_the_decoder_have_its_noise() -> None:
    G = TVAE(width=16).build(SPEC)["G"].eval()
    z = torch.randn(1, G.z_dim).repeat(20_000, 1)
    z[:, -1] = torch.randn(20_000)
    values = G(z)[:, 9]
    assert values.mean().item() == pytest.approx(G.compute_heads(z[:1])[0, 9].tanh().item(), abs=0.005)
    assert values.std().item() == pytest.approx(0.1, rel=0.05)


def test_fields_of_another_kind_are_refused() -> None:
    with pytest.raises(GanvasError, match="a is binary"):
        TVAE().build(Spec((2,), (Field("a", 2, "binary"),), {}))
