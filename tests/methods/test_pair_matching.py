"""Matching noisy pair tables: what is released, and what G learns from it."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from ganvas.core import Clock, Field, Spec
from ganvas.data import EncodedDataset
from ganvas.errors import GanvasError
from ganvas.media import BinColumn, CategoryColumn, TableCodec
from ganvas.methods import PairMatching
from ganvas.methods.pair_matching import PAIRS, PairShares, read_codes
from ganvas.nets import RowShares
from ganvas.nets.tables.rows import RowGenerator
from ganvas.privacy import parse_ledger
from ganvas.recipe import Recipe
from ganvas.recipes import find_recipe
from ganvas.runs.state import State, build_state
from ganvas.training.loop import Loop
from ganvas.training.mixture_start import start_from_mixture

CPU = torch.device("cpu")
CODEC = TableCodec(
    columns=(
        CategoryColumn(name="a", type="string", values=("x", "y"), shares=(0.0,) * 3, has_rest=True),
        BinColumn(name="b", type="int64", edges=tuple(range(50))),
        BinColumn(name="c", type="int64", edges=(0, 1, 2, 10)),
    ),
    known_share=0.0,
)
SIZES = [3, 49, 3]
DATA_ROWS = 30_000  # more than a block


class Unread(EncodedDataset):
    """Rows that training may not draw."""

    def batch(self, seed: int, size: int) -> dict[str, torch.Tensor]:
        raise AssertionError("a private run has drawn rows")


def draw_rows(seed: int = 0) -> Unread:
    """Column c equals a; b is apart from both."""
    random = np.random.default_rng(seed)
    a = random.choice(3, DATA_ROWS, p=[0.6, 0.3, 0.1])
    codes = np.stack([a, random.integers(0, 49, DATA_ROWS), a], 1).astype(np.uint16)
    return Unread(CODEC, {"x": torch.from_numpy(codes)})


def small(epsilon: float = 1.0, samples: int = 4_000) -> Recipe:
    recipe = find_recipe("private_table")
    return replace(
        recipe,
        nets=RowShares(z_dim=8, width=32, blocks=1),
        method=PairMatching(epsilon=epsilon, rows=200),
        train=replace(recipe.train, minutes=None, samples=samples, batch=200, ema_kimg=0.0),
    )


def test_every_row_is_counted_once_in_each_pair_table() -> None:
    data = draw_rows()
    assert np.array_equal(read_codes(data), data.columns["x"].numpy())


def test_the_release_has_noise_of_the_size_that_epsilon_asks_for() -> None:
    """sigma √pairs a count, and nothing within a column; its cost is epsilon."""
    data = draw_rows()
    release = PairMatching(epsilon=2.0).release(data)
    ledger = parse_ledger(release.ledger)
    assert 1.999 < ledger.epsilon <= 2.0
    assert [entry.steps for entry in ledger.releases] == [1]
    shares = release.tensors["shares"].double()
    assert torch.equal(shares, shares.T)
    blocks = torch.block_diag(*(torch.ones(size, size) for size in SIZES)).bool()
    assert not shares[blocks].any()
    truth = np.zeros((49, 3))
    codes = data.columns["x"].long().numpy()
    np.add.at(truth, (codes[:, 1], codes[:, 2]), 1)
    noise = shares[3:52, 52:].numpy() * DATA_ROWS - truth
    expected = ledger.releases[0].sigma * math.sqrt(3)
    assert noise.std() == pytest.approx(expected, rel=0.25)  # 147 cells, and the number of rows is an estimate
    assert release.sentences[0].startswith("private: epsilon 2: an attacker's guess")


def test_two_releases_have_different_noise_whatever_the_seed() -> None:
    data, method = draw_rows(), PairMatching()
    torch.manual_seed(0)
    np.random.seed(0)
    first = method.release(data).tensors["shares"]
    torch.manual_seed(0)
    np.random.seed(0)
    assert not torch.equal(first, method.release(data).tensors["shares"])


def test_rows_have_no_residual_to_their_own_tables() -> None:
    data = draw_rows()
    rows = CODEC.load(data.columns["x"][:500], None)
    pairs = PairShares(tuple(SIZES))
    pairs.shares.copy_(rows.T @ rows / 500)
    assert not pairs.compare(rows).any()
    half = pairs.compare(rows[:250])
    assert torch.allclose(half, -pairs.compare(rows[250:]), atol=1e-6)
    assert half.abs().max() > 0


def test_g_begins_at_the_marginals() -> None:
    data, recipe = draw_rows(), small(epsilon=10.0)
    state = build_state(recipe, data.spec, 0, CPU)
    recipe.method.load_release(state.nets, recipe.method.release(data).tensors)  # type: ignore[attr-defined]
    with torch.no_grad():
        state.nets["G"].last.weight.zero_()  # type: ignore[union-attr, operator]
    shares = state.nets["G"].compute_shares(torch.zeros(1, 8 + 3))[0]  # type: ignore[operator]
    assert torch.allclose(shares[:3], torch.tensor([0.6, 0.3, 0.1]), atol=0.02)
    assert torch.allclose(shares[3:52], torch.full((49,), 1 / 49), atol=0.01)
    assert [float(part.sum()) for part in shares.detach().split(SIZES)] == pytest.approx([1, 1, 1])


def train(recipe: Recipe, data: Unread, tensors: dict[str, torch.Tensor], seed: int = 0) -> State:
    state = build_state(recipe, data.spec, seed, CPU)
    recipe.method.load_release(state.nets, tensors)  # type: ignore[attr-defined]
    Loop(recipe, data, state, seed).train_to_budget(lambda state, tally: False)
    return state


def test_training_follows_from_the_seed_and_the_release_and_draws_no_rows() -> None:
    data, recipe = draw_rows(), small()
    tensors = dict(recipe.method.release(data).tensors)  # type: ignore[attr-defined]
    first, second, other = (train(recipe, data, tensors, seed) for seed in (0, 0, 1))
    pairs = zip(first.nets.state_dict().values(), second.nets.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(first.nets["G"].last.weight, other.nets["G"].last.weight)  # type: ignore[union-attr]


def test_g_learns_a_dependence_from_the_tables_alone() -> None:
    data, recipe = draw_rows(), small(epsilon=10.0, samples=300_000)
    recipe = replace(recipe, nets=RowShares(z_dim=16, width=64, blocks=1))
    state = train(recipe, data, dict(recipe.method.release(data).tensors))  # type: ignore[attr-defined]
    latents = recipe.method.draw_latents(state.nets, 4_000, torch.Generator().manual_seed(0))
    with torch.inference_mode():
        codes = CODEC.store(recipe.method.render(state.nets, latents)).long()
    assert (codes[:, 0] == codes[:, 2]).float().mean() > 0.93  # of independent columns: 0.46
    shares = torch.bincount(codes[:, 0], minlength=3) / len(codes)
    assert torch.allclose(shares, torch.tensor([0.6, 0.3, 0.1]), atol=0.03)


def test_a_step_says_its_loss_and_counts_its_rows() -> None:
    recipe = small()
    state = build_state(recipe, draw_rows().spec, 0, CPU)
    stage = recipe.method.stage(state.nets, Clock(0, 0, 1))
    assert stage.batch == 200
    assert not any(phase.needs_data for phase in stage.phases)
    assert PAIRS in state.nets
    assert recipe.method.traits(state.nets).critics == ()


def test_g_has_no_mixture_that_could_be_fitted_to_rows() -> None:
    """The default generator of rows starts from one (training.mixture_start), which would break the promise."""
    assert not isinstance(build_state(small(), CODEC.spec, 0, CPU).nets["G"], RowGenerator)
    assert start_from_mixture(build_state(small(), CODEC.spec, 0, CPU), draw_rows(), 0) == ""


def test_ranks_and_other_generators_are_refused() -> None:
    method = PairMatching()
    ranks = Spec((1,), (Field("b.rank", 1),), {})
    with pytest.raises(GanvasError, match="PublicTable"):
        method.state(ranks, RowShares().build(ranks))
    categories = Spec((2,), (Field("a", 2, "categorical"),), {})
    with pytest.raises(GanvasError, match="RowShares"):
        method.state(categories, torch.nn.ModuleDict({"G": torch.nn.Linear(2, 2)}))
    state = build_state(small(), CODEC.spec, 0, CPU)
    with pytest.raises(GanvasError, match="released tables have 2 values, not 55"):
        method.load_release(state.nets, {"shares": torch.zeros(2, 2)})


def test_the_ledger_is_json_for_people() -> None:
    assert json.loads(PairMatching(epsilon=3.0).release(draw_rows()).ledger)["releases"][0]["purpose"] == "pair tables"
