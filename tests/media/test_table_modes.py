"""Mode-specific normalisation and training by sampling, against what the paper says in closed form."""

import json
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from ganvas.configuration import from_json, to_json
from ganvas.data import EncodedDataset, Weighted, prepare_dataset, read_frame
from ganvas.errors import GanvasError, SettingError
from ganvas.media import CategoryCondition, ModeMixture, ModesCodec, Table, TableModes
from ganvas.media.table.mixtures import fit_modes

N = 4_000
SHARES = {"city": {"Ulm": 0.7, "Bonn": 0.29, "Kiel": 0.01}, "plan": {"free": 0.9, "paid": 0.1}}


def draw_table() -> pa.Table:
    random = np.random.default_rng(0)
    side = random.random(N) < 0.25
    hours = np.where(random.random(N) < 0.4, 40, random.integers(1, 99, N))
    days = np.datetime64("2020-01-01", "s") + (random.integers(0, 900, N) * 86_400).astype("timedelta64[s]")
    categories = {name: np.repeat([*shares], [round(s * N) for s in shares.values()]) for name, shares in SHARES.items()}
    return pa.table(
        {
            "peaks": np.where(side, random.normal(100, 1, N), random.normal(0, 5, N)),
            "city": pa.array(random.permutation(categories["city"])),
            "hours": pa.array(hours, pa.int32()),
            "gaps": pa.array(random.gamma(2, 2, N), mask=random.random(N) < 0.25),
            "day": pa.array(days, pa.timestamp("ms")),
            "profit": np.where(random.random(N) < 0.6, 0.0, np.round(random.lognormal(3, 1, N), 2)),
            "plan": pa.array(random.permutation(categories["plan"])),
        }
    )


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return draw_table()


@pytest.fixture(scope="module")
def codec(table: pa.Table) -> ModesCodec:
    return TableModes().fit(read_frame(table))


@pytest.fixture(scope="module")
def data(table: pa.Table, codec: ModesCodec) -> EncodedDataset:
    return prepare_dataset(read_frame(table), codec, None, True, Weighted())


def test_fields_are_one_hots_of_categories_first_then_modes_and_alphas(codec: ModesCodec) -> None:
    fields = codec.spec.fields
    assert [field.name for field in fields] == [
        "city", "plan", "peaks", "peaks.alpha", "hours", "hours.alpha", "gaps", "gaps.alpha", "day", "day.alpha",
        "profit", "profit.alpha",
    ]  # fmt: skip
    assert [field.size for field in fields[:2]] == [3, 2]
    modes = [len(mixture.means) for mixture in codec.mixtures]
    missing = [0, 0, 1, 0, 0]
    assert [field.size for field in fields[2::2]] == [m + g for m, g in zip(modes, missing, strict=True)]
    assert max(modes) <= 10
    assert from_json(json.loads(json.dumps(to_json(codec)))) == codec


@pytest.mark.parametrize("seed", [None, 0])
def test_a_row_survives_loading_and_storing(seed: int | None, data: EncodedDataset, codec: ModesCodec) -> None:
    stored = data.columns["x"]
    x = codec.load(stored, None if seed is None else torch.Generator().manual_seed(seed))
    assert x.abs().max() <= 1
    is_equal = codec.store(x) == stored
    assert is_equal.double().mean(0).min() > 0.995  # beyond 4σ of its mode alpha is cut, as in the paper
    if seed is not None:
        assert is_equal[:, [1, 6]].all()


def test_modes_are_where_the_numbers_are(codec: ModesCodec) -> None:
    means, weights = np.array(codec.mixtures[0].means), np.array(codec.mixtures[0].weights)
    assert weights[means > 50].sum() == pytest.approx(0.25, abs=0.03)
    assert ((np.abs(means) < 20) | (np.abs(means - 100) < 5)).all()
    for mixture in codec.mixtures:
        assert sum(mixture.weights) == pytest.approx(1)
        assert min(mixture.weights) > 0.005


def fit_whole_numbers(missing: int = 0) -> tuple[ModesCodec, torch.Tensor]:
    """-5 to 15, all equally frequent, with two modes that are known; and the rows' codes."""
    numbers = np.repeat(np.arange(-5, 16), 50).astype(float)
    column = pa.array(np.concatenate([numbers, np.zeros(missing)]), mask=np.arange(len(numbers) + missing) >= len(numbers))
    rows = pa.table({"v": column})
    codec = TableModes(table=Table(kinds={"v": "number"})).fit(read_frame(rows))
    mixture = ModeMixture(means=(0.0, 10.0), sigmas=(3.0, 6.0), weights=(0.75, 0.25))
    return replace(codec, mixtures=(mixture,)), torch.from_numpy(codec.encode_block(rows))


def test_alpha_is_the_distance_in_four_sigmas() -> None:
    codec, stored = fit_whole_numbers()
    x = codec.load(stored, torch.Generator().manual_seed(0))
    values = torch.arange(-5.0, 16).repeat_interleave(50)
    expected = torch.where(x[:, 0] == 1, values / 12, (values - 10) / 24).clamp(-1, 1)
    assert torch.allclose(x[:, 2], expected, atol=1e-6)
    assert torch.equal(x[:, 0] + x[:, 1], torch.ones(len(x)))


def test_modes_are_drawn_by_their_responsibilities() -> None:
    codec, stored = fit_whole_numbers()
    chosen_rows = stored[50 * (7 + 5) : 50 * (7 + 5) + 1].expand(20_000, 1)  # the number 7
    densities = [0.75 / 3 * np.exp(-0.5 * (7 / 3) ** 2), 0.25 / 6 * np.exp(-0.5 * (3 / 6) ** 2)]
    share = codec.load(chosen_rows, torch.Generator().manual_seed(0))[:, 0].mean().item()
    assert share == pytest.approx(densities[0] / sum(densities), abs=0.015)


def test_missing_numbers_have_a_place_beside_the_modes() -> None:
    codec, stored = fit_whole_numbers(missing=30)
    x = codec.load(stored, None)
    assert x.shape[1] == 4
    assert x[-30:].tolist() == [[0, 0, 1, 0]] * 30
    assert (codec.store(x)[-30:] == stored[-30:]).all()


def test_numbers_near_a_spike_become_it(table: pa.Table, data: EncodedDataset, codec: ModesCodec) -> None:
    x = codec.load(data.columns["x"], torch.Generator().manual_seed(0))
    place = [field.name for field in codec.spec.fields].index("hours.alpha")
    alpha = sum(field.size for field in codec.spec.fields[:place])
    sigma = max(codec.mixtures[1].sigmas)
    x[:, alpha] += 0.4 / (4 * sigma) * torch.linspace(-1, 1, N)  # less than half an hour
    hours = codec.decode(codec.store(x))["hours"].to_numpy()
    assert (hours == table["hours"].to_numpy())[np.abs(table["hours"].to_numpy() - 40) < 5].mean() > 0.99


def test_nobodys_number_is_kept() -> None:
    random = np.random.default_rng(0)
    values = np.concatenate([random.normal(0, 1, 3_000), [1e7, 1e7 + 1, 2e7]])
    codec = TableModes().fit(read_frame(pa.table({"v": values, "w": np.tile(["a", "b", "c"], 1001)})))
    assert max(codec.mixtures[0].means) < 10
    assert not any(text in json.dumps(to_json(codec)) for text in ("10000000", "10000001", "20000000"))


def test_scikit_learn_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.mixture", None)
    with pytest.raises(GanvasError, match=r"scikit-learn.*ganvas\[tables\]"):
        fit_modes(np.arange(10.0), 3, 0.005)


def test_settings_are_checked() -> None:
    with pytest.raises(SettingError, match="most_modes"):
        TableModes(most_modes=0)
    with pytest.raises(SettingError, match="least_weight"):
        TableModes(least_weight=1.0)


# ---------------------------------------------------------------- the conditional vector


def compute_training_shares() -> dict[str, float]:
    """The paper's: a column, all alike; then a category in proportion to the logarithm of its frequency."""
    logs = {name: {v: np.log1p(round(s * N)) for v, s in shares.items()} for name, shares in SHARES.items()}
    return {f"{name}={v}": log / sum(values.values()) / 2 for name, values in logs.items() for v, log in values.items()}


def test_rows_are_drawn_as_the_paper_draws_them(table: pa.Table, codec: ModesCodec, data: EncodedDataset) -> None:
    weights = codec.weigh_rows(data.columns["x"]).numpy()
    shares, counts = compute_training_shares(), {name: Counter(table[name].to_pylist()) for name in SHARES}
    expected = [
        sum(shares[f"{name}={row[name]}"] / counts[name][row[name]] for name in SHARES)
        for row in table.select([*SHARES]).to_pylist()
    ]
    assert np.allclose(weights / weights.sum(), expected, rtol=1e-9)


def test_categories_in_training_follow_log_frequency_and_hold_in_their_rows(codec: ModesCodec, data: EncodedDataset) -> None:
    batch = data.batch(0, 40_000)
    assert (batch["x"].gather(1, batch["category"][:, None]) == 1).all()
    drawn = torch.bincount(batch["category"], minlength=5) / 40_000
    shares = compute_training_shares()
    for name, share in zip(codec.category_condition.names, drawn.tolist(), strict=True):
        assert share == pytest.approx(shares[name], abs=4 * (shares[name] / 40_000) ** 0.5)
    assert shares["city=Kiel"] > 0.05  # 0.005 when sampling


def test_categories_when_sampling_follow_the_datas_frequencies(codec: ModesCodec) -> None:
    condition = codec.category_condition
    drawn = torch.bincount(condition.draw(40_000, torch.Generator().manual_seed(0)), minlength=5) / 40_000
    for name, share in zip(condition.names, drawn.tolist(), strict=True):
        column, _, value = name.partition("=")
        expected = SHARES[column][value] / 2
        assert share == pytest.approx(expected, abs=4 * (expected / 40_000) ** 0.5)


def test_a_category_has_its_own_place(codec: ModesCodec, data: EncodedDataset) -> None:
    x = codec.load(data.columns["x"][:1], None)
    for column, shares in SHARES.items():
        for value in shares:
            place = int(codec.category_condition.parse(f"{column}={value}"))
            changed = x.clone()
            changed[:, :5] = 0
            changed[:, place] = 1
            assert codec.decode(codec.store(changed))[column].to_pylist() == [value]


def test_a_category_that_is_none_is_refused(codec: ModesCodec) -> None:
    with pytest.raises(GanvasError, match="city=Ulm"):
        codec.category_condition.parse("city=Ulmm")
    assert "5 categories of city, plan" in codec.category_condition.describe()


def test_blanks_around_values_need_not_be_typed() -> None:
    condition = CategoryCondition(columns=("loan",), values=((" <=50K", " >50K"),), shares=((0.7, 0.3),))
    assert int(condition.parse("loan=>50K")) == 1


def test_without_categories_there_is_no_condition() -> None:
    rows = pa.table({"v": np.random.default_rng(0).normal(size=200)})
    codec = TableModes().fit(read_frame(rows))
    data = prepare_dataset(read_frame(rows), codec, None, True, Weighted())
    assert dict(data.conditions) == {}
    assert set(data.batch(0, 10)) == {"x"}


def test_weighted_batches_ask_for_a_codec_that_weighs(table: pa.Table) -> None:
    plain = prepare_dataset(read_frame(table), Table().fit(read_frame(table)), None, True, Weighted())
    with pytest.raises(GanvasError, match="Uniform"):
        plain.batch(0, 4)
