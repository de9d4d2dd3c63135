"""Do CTGAN and TVAE learn what the columns of a table have to do with each other?"""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from ganvas import recipes
from ganvas.core import NO_REQUEST, Request
from ganvas.data import prepare_dataset, read_frame
from ganvas.media import ModesCodec, TableModes
from ganvas.methods import Adversarial
from ganvas.nets import CTGAN, TVAE
from ganvas.optim.optimisers import Adam
from ganvas.recipe import Recipe
from ganvas.runs.state import State, build_state
from ganvas.sampling.stream import stream_samples
from ganvas.training.loop import Loop
from small_recipes import small_table

CPU = torch.device("cpu")
STEPS = {"ctgan": 400, "tvae": 500}
RATES = {"ctgan": 2e-3, "tvae": 1e-2}
ROWS = 1_000


def shrink(name: str, steps: int) -> Recipe:
    """The recipe with narrower networks, small batches and a higher rate."""
    recipe = recipes.find_recipe(name)
    nets = CTGAN(z_dim=16, width=64, pack=4, dropout=0.0) if name == "ctgan" else TVAE(z_dim=16, width=64)
    optim = {net: replace(optimiser, lr=RATES[name]) for net, optimiser in recipe.optim.items() if isinstance(optimiser, Adam)}
    train = replace(recipe.train, minutes=None, samples=steps * 200, batch=200)
    return replace(recipe, nets=nets, optim=optim, train=train)


@cache
def prepare_small_table(name: str) -> Any:
    """The small table in the form of a recipe: its data set, which has the codec."""
    items, recipe = read_frame(small_table(2_000)), recipes.find_recipe(name)
    codec = fit_small_table()
    return prepare_dataset(items, codec, None, True, recipe.batches)


@cache
def fit_small_table() -> ModesCodec:
    return TableModes().fit(read_frame(small_table(2_000)))


def train_on_small_table(recipe: Recipe, seed: int = 0) -> State:
    assert recipe.medium == TableModes()
    data = prepare_small_table(recipe.name)
    state = build_state(recipe, data.spec, seed, CPU)
    Loop(recipe, data, state, seed).train_to_budget(lambda *_: False)
    return state


def generate(recipe: Recipe, state: State, request: Request = NO_REQUEST) -> Any:
    blocks = stream_samples(recipe.method, state.nets, fit_small_table(), ROWS, 0, request=request)
    return fit_small_table().decode(torch.cat(list(blocks)))


def measure_dependence(rows: Any) -> float:
    """The share of rows whose size is nearest to their group's in the data: 10 apart, with a deviation of 1."""
    groups = np.searchsorted(["a", "b", "c"], rows["group"].to_pylist())
    return float((np.rint(rows["size"].to_numpy() / 10).clip(0, 2) == groups).mean())


@pytest.mark.parametrize("name", ["ctgan", "tvae"])
def test_they_learn_a_small_table(name: str) -> None:
    untrained, trained = shrink(name, 1), shrink(name, STEPS[name])
    before = generate(untrained, train_on_small_table(untrained))
    state = train_on_small_table(trained)
    rows = generate(trained, state)
    assert measure_dependence(before) < 0.6
    assert measure_dependence(rows) > 0.75  # of independent columns: 0.54
    groups, missing = rows["group"].to_pylist(), rows["gaps"].null_count / ROWS
    assert groups.count("a") / ROWS == pytest.approx(0.7, abs=0.12)
    assert missing == pytest.approx(0.2, abs=0.1)
    if isinstance(trained.method, Adversarial):
        for value, others in (("group=c", 0.9), ("is_new=true", 0.9)):
            column, _, wanted = value.partition("=")
            asked = generate(trained, state, Request({"category": fit_small_table().category_condition.parse(value)}))
            assert [str(v).lower() for v in asked[column].to_pylist()].count(wanted) / ROWS > others


@pytest.mark.parametrize("name", ["ctgan", "tvae"])
def test_a_seed_repeats(name: str) -> None:
    recipe = shrink(name, 3)
    first, again, other = (train_on_small_table(recipe, seed) for seed in (0, 0, 1))
    for a, b in zip(first.nets.state_dict().values(), again.nets.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    weights = [state.nets["G"].state_dict()["heads.weight"] for state in (first, other)]
    assert not torch.equal(weights[0], weights[1])
