"""Do CTGAN and TVAE learn what the columns of a table have to do with each other?"""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from ganvas import recipes
from ganvas.core import NO_REQUEST, Request
from ganvas.data import prepare_dataset, read_frame
from ganvas.methods import Adversarial
from ganvas.nets import CTGAN, TVAE
from ganvas.optim.optimisers import Adam
from ganvas.recipe import Recipe
from ganvas.runs.state import State, build_state
from ganvas.sampling.stream import stream_samples
from ganvas.training.loop import Loop
from small_recipes import small_table

CPU = torch.device("cpu")
STEPS = 250
ROWS = 1_000


def shrink(name: str, steps: int) -> Recipe:
    """The recipe with narrower networks, small batches and a higher rate."""
    recipe = recipes.find_recipe(name)
    nets = CTGAN(z_dim=16, width=64, pack=4, dropout=0.0) if name == "ctgan" else TVAE(z_dim=16, width=64)
    optim = {net: replace(optimiser, lr=2e-3) for net, optimiser in recipe.optim.items() if isinstance(optimiser, Adam)}
    train = replace(recipe.train, minutes=None, samples=steps * 200, batch=200)
    return replace(recipe, nets=nets, optim=optim, train=train)


def train_on_small_table(recipe: Recipe, seed: int = 0) -> tuple[State, Any]:
    items = read_frame(small_table(2_000))
    codec = recipe.medium.fit(items)
    data = prepare_dataset(items, codec, None, True, recipe.batches)
    state = build_state(recipe, data.spec, seed, CPU)
    Loop(recipe, data, state, seed).train_to_budget(lambda *_: False)
    return state, codec


def generate(recipe: Recipe, state: State, codec: Any, request: Request = NO_REQUEST) -> pa.Table:
    blocks = stream_samples(recipe.method, state.nets, codec, ROWS, 0, request=request)
    return codec.decode(torch.cat(list(blocks)))


def measure_dependence(rows: pa.Table) -> float:
    """The share of rows whose size is nearest to their group's in the data: 10 apart, with a deviation of 1."""
    groups = np.searchsorted(["a", "b", "c"], rows["group"].to_pylist())
    return float((np.rint(rows["size"].to_numpy() / 10).clip(0, 2) == groups).mean())


@pytest.mark.parametrize("name", ["ctgan", "tvae"])
def test_they_learn_a_small_table(name: str) -> None:
    untrained, trained = shrink(name, 1), shrink(name, STEPS)
    before = generate(untrained, *train_on_small_table(untrained))
    state, codec = train_on_small_table(trained)
    rows = generate(trained, state, codec)
    assert measure_dependence(before) < 0.75
    assert measure_dependence(rows) > 0.9
    groups, missing = rows["group"].to_pylist(), rows["gaps"].null_count / ROWS
    assert groups.count("a") / ROWS == pytest.approx(0.7, abs=0.12)
    assert missing == pytest.approx(0.2, abs=0.1)
    if isinstance(trained.method, Adversarial):
        for value, others in (("group=c", 0.9), ("is_new=true", 0.9)):
            column, _, wanted = value.partition("=")
            asked = generate(trained, state, codec, Request({"category": codec.category_condition.parse(value)}))
            assert [str(v).lower() for v in asked[column].to_pylist()].count(wanted) / ROWS > others


@pytest.mark.parametrize("name", ["ctgan", "tvae"])
def test_a_seed_repeats(name: str) -> None:
    recipe = shrink(name, 3)
    first, again, other = (train_on_small_table(recipe, seed)[0] for seed in (0, 0, 1))
    for a, b in zip(first.nets.state_dict().values(), again.nets.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    weights = [state.nets["G"].heads.weight for state in (first, other)]
    assert not torch.equal(*weights)
