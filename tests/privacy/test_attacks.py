"""Each attack succeeds on a table that is its training rows, and sees nothing where there is nothing to see."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.core import PlainTable
from ganvas.errors import GanvasError
from ganvas.privacy.attacks import (
    AttackResult,
    ClosestRecords,
    MembershipResult,
    Rate,
    attack_by_singling_out,
    attack_inference,
    attack_linkability,
    attack_membership_by_density,
    attack_membership_by_distance,
    attack_membership_by_logit,
    judge_membership,
    measure_closest_records,
    row_distances,
)
from ganvas.privacy.attacks.closest_record import find_equal_rows
from ganvas.privacy.attacks.row_distances import find_nearest_rows, find_neighbour_rows, iterate_row_distances
from ganvas.privacy.attacks.singling_out import describe_by_columns, describe_by_one_column, find_fitting_rows
from plain_tables import draw_table

Result = AttackResult | MembershipResult | ClosestRecords
Attack = Callable[[PlainTable, PlainTable, PlainTable, int], Result]
INCOME, ANSWER = 2, 5

ATTACKS: dict[str, Attack] = {
    "distance": lambda t, h, s, seed: attack_membership_by_distance(t, h, s, seed=seed),
    "density": lambda t, h, s, seed: attack_membership_by_density(t, h, s, seed=seed),
    "linkability": lambda t, h, s, seed: attack_linkability(t, h, s, seed=seed),
    "inference of a number": lambda t, h, s, seed: attack_inference(t, h, s, INCOME, seed=seed),
    "inference of a category": lambda t, h, s, seed: attack_inference(t, h, s, ANSWER, seed=seed),
    "singling out by one": lambda t, h, s, seed: attack_by_singling_out(t, h, s, 1, 200, seed=seed),
    "singling out by four": lambda t, h, s, seed: attack_by_singling_out(t, h, s, 4, 200, seed=seed),
    "closest record": lambda t, h, s, seed: measure_closest_records(t, h, s, seed=seed),
}


def measured(result: Result) -> list[tuple[float, float, float]]:
    """What a result says above chance, with intervals."""
    if isinstance(result, MembershipResult):
        low, high = result.auc_interval
        parts = [(result.half.difference, *result.half.interval), (result.surest.difference, *result.surest.interval)]
        return [(result.auc - 0.5, low - 0.5, high - 0.5), *parts]
    if isinstance(result, ClosestRecords):
        low, high = result.nearer_interval
        return [(result.nearer_to_training - 0.5, low - 0.5, high - 0.5), (result.copies.difference, *result.copies.interval)]
    return [(result.difference, *result.interval)]


@pytest.mark.parametrize("name", ATTACKS)
def test_training_rows_in_the_place_of_synthetic_ones_are_caught(name):
    train, held_out = draw_table(400, 0), draw_table(400, 1)
    result = ATTACKS[name](train, held_out, train, 0)
    assert all(low > 0 for _, low, _ in measured(result))
    assert "copies" in result.explain() if isinstance(result, ClosestRecords) else "members leak" in result.explain()
    if not isinstance(result, ClosestRecords):
        assert result.is_leak


@pytest.mark.parametrize("name", ["distance", "density", "singling out by one", "closest record"])
def test_a_few_copies_among_fresh_rows_are_caught(name):
    train, held_out, fresh = draw_table(500, 0), draw_table(500, 1), draw_table(500, 2)
    share = 100
    mixed = PlainTable(
        train.names,
        train.kinds,
        tuple(np.concatenate([a[:share], b[share:]]) for a, b in zip(train.values, fresh.values, strict=True)),
    )
    result = ATTACKS[name](train, held_out, mixed, 0)
    if isinstance(result, MembershipResult):
        assert result.surest.is_leak
    elif isinstance(result, ClosestRecords):
        assert result.copies.main == Rate(share, 500)
        assert result.copies.is_leak
    else:
        assert result.is_leak


@pytest.mark.parametrize("name", ATTACKS)
def test_fresh_rows_leak_nothing(name):
    """Of 16 intervals of 95% about one misses; five and more happen once in 1,000. Members are twice the others."""
    results = [
        ATTACKS[name](draw_table(400, 3 * k), draw_table(200, 3 * k + 1), draw_table(400, 3 * k + 2), k) for k in range(16)
    ]
    for values in zip(*map(measured, results), strict=True):
        difference, low, high = np.array(values).T
        assert ((low > 0) | (high < 0)).sum() < 5
        spread = (high - low).mean() / (2 * 1.96)
        assert abs(difference.mean()) < 3.5 * spread / 4  # the error of a mean of 16


def test_good_synthetic_rows_help_to_infer_and_are_no_leak():
    """Success alone would call dependence a leak: income tells the answer, of members and of others."""
    train, held_out, synthetic = (draw_table(1000, seed) for seed in range(3))
    independent = PlainTable(synthetic.names, synthetic.kinds, tuple(np.roll(v, c) for c, v in enumerate(synthetic.values)))
    result, chance = (attack_inference(train, held_out, rows, ANSWER, [INCOME]) for rows in (synthetic, independent))
    assert result.control.interval[0] > chance.control.interval[1]
    assert result.main.share > 0.6
    assert not result.is_leak
    assert "no leak shows here" in result.explain()


def test_logits_tell_members():
    rng = np.random.default_rng(0)
    same = attack_membership_by_logit(rng.normal(size=500), rng.normal(size=400))
    assert not same.is_leak
    memorised = attack_membership_by_logit(rng.normal(0.5, 1, 500), rng.normal(size=400))
    assert memorised.auc == pytest.approx(0.638, abs=0.05)  # Φ(0.5 / √2)
    assert memorised.is_leak
    few = np.concatenate([rng.normal(size=460), np.full(40, 9.0)])
    assert attack_membership_by_logit(few, rng.normal(size=500)).surest.is_leak


def test_equal_scores_are_a_coin():
    result = judge_membership("all alike", np.zeros(300), np.zeros(300))
    assert result.auc == 0.5
    assert result.half.main.hits + result.half.control.hits == 300
    assert not result.is_leak


def test_wilson_and_newcombe_as_published():
    """Newcombe 1998 (statistics in medicine 17, 857 and 873): 81 of 263 and 15 of 148; 56 of 70 less 48 of 80."""
    assert Rate(81, 263).interval == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert Rate(15, 148).interval == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert Rate(0, 20).interval == pytest.approx((0.0, 0.1611), abs=5e-5)
    result = AttackResult("published", Rate(56, 70), Rate(48, 80))
    assert result.interval == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert AttackResult("published", Rate(10, 10), Rate(0, 10)).interval == pytest.approx((0.6075, 1.0), abs=5e-5)


def test_nothing_tried_says_nothing():
    assert Rate(0, 0).interval == (0, 1)
    assert AttackResult("none", Rate(0, 0), Rate(0, 0)).interval == (-1, 1)


def test_distances_by_hand():
    """Ranks in b: 10, 20, 30, 40 are at 1/8, 3/8, 5/8, 7/8; 25 is half way, and beyond all is 0 or 1."""
    kinds = ("number", "category")
    b = PlainTable(("x", "c"), kinds, (np.array([10.0, 20, 30, 40]), np.array([0, 0, 1, 1])))
    a = PlainTable(("x", "c"), kinds, (np.array([25.0, 10, 99, np.nan]), np.array([0, 1, 1, 1])))
    ((_, distances),) = iterate_row_distances(a, b)
    expected = [[0.375, 0.125, 1.125, 1.375], [1, 1.25, 0.5, 0.75], [1.875, 1.625, 0.375, 0.125], [2, 2, 1, 1]]
    np.testing.assert_allclose(distances, expected, atol=1e-6)
    np.testing.assert_array_equal(find_nearest_rows(a, b)[1], [1, 2, 3, 2])
    assert {*find_neighbour_rows(a, b, 2)[2].tolist()} == {2, 3}


def test_distances_on_the_scale_of_other_rows():
    """15 has rank 1/4 among 10, 20, 30, 40, 10 has 1/8; among 15 and 35 they have 1/4 and 0."""
    a, b, scale = (PlainTable(("x",), ("number",), (np.array(v, float),)) for v in ([10, 35], [15, 35], [10, 20, 30, 40]))
    ((_, distances),) = iterate_row_distances(a, b, scale)
    np.testing.assert_allclose(distances, [[0.125, 0.625], [0.5, 0]], atol=1e-6)
    np.testing.assert_allclose(find_nearest_rows(a, b, scale)[0], [0.125, 0], atol=1e-6)
    assert find_nearest_rows(a, b)[0][0] == 0.25


def test_blocks_change_nothing(monkeypatch):
    a, b = draw_table(60, 0), draw_table(70, 1)
    whole = find_nearest_rows(a, b)
    monkeypatch.setattr(row_distances, "DISTANCES_PER_BLOCK", 200)
    for one, two in zip(whole, find_nearest_rows(a, b), strict=True):
        np.testing.assert_array_equal(one, two)


def test_equal_rows_are_at_no_distance_and_others_are_not():
    table = draw_table(300, 0)
    distance, index = find_nearest_rows(table, table)
    np.testing.assert_array_equal(distance, 0)
    np.testing.assert_array_equal(index, np.arange(300))
    assert (find_nearest_rows(draw_table(300, 1), table)[0] > 0).all()
    assert find_equal_rows(table, table).all()
    assert not find_equal_rows(draw_table(300, 1), table).any()


def test_descriptions_fit_one_row():
    table = draw_table(400, 0)
    rng = np.random.default_rng(0)
    for description in describe_by_columns(table, 3, 100, rng):
        assert find_fitting_rows(table, description).sum() == 1
        assert len({clause.column for clause in description}) == 3
    names = {clause.sign for (clause,) in describe_by_one_column(table, 10**6, rng)}
    assert names == {"==", "<=", ">="}


def test_a_missing_cell_can_single_out():
    kinds = ("number", "category")
    table = PlainTable(("x", "c"), kinds, (np.array([1.0, 1, np.nan, 1]), np.array([0, 0, 0, 0])))
    single = [d for d in describe_by_one_column(table, 100, np.random.default_rng(0)) if d[0].sign == "=="]
    assert len(single) == 1
    np.testing.assert_array_equal(find_fitting_rows(table, single[0]), [False, False, True, False])


def test_the_same_seed_gives_the_same():
    tables = draw_table(100, 0), draw_table(80, 1), draw_table(90, 2)
    for attack in ATTACKS.values():
        assert attack(*tables, 3) == attack(*tables, 3)


def test_no_sentence_promises_privacy():
    tables = draw_table(100, 0), draw_table(80, 1), draw_table(90, 2)
    sentences = [attack(*tables, 3).explain() for attack in ATTACKS.values()]
    assert all("proves no privacy" in s for s in sentences if "private" in s or "privacy" in s)
    assert all(" safe" not in s for s in sentences)


def odd_table(rows: int, seed: int, columns: int = 3) -> PlainTable:
    """Constant, all missing, few categories: whatever a table may be."""
    rng = np.random.default_rng(seed)
    parts = [np.full(rows, np.nan), np.full(rows, 7.0), rng.integers(2, size=rows)][:columns]
    kinds = ("number", "number", "category")[:columns]
    return PlainTable(("lost", "constant", "coin")[:columns], kinds, tuple(parts))


@settings(deadline=None, max_examples=15)
@given(st.integers(10, 40), st.integers(20, 40), st.integers(1, 40), st.integers(0, 99))
def test_odd_tables_are_attacked_or_refused(rows, held_out, synthetic, seed):
    tables = odd_table(rows, seed), odd_table(held_out, seed + 1), odd_table(synthetic, seed + 2)
    attacks = [*ATTACKS.values()]
    for attack in [*attacks[:3], *attacks[5:]]:
        for difference, low, high in measured(attack(*tables, seed)):
            assert low <= difference <= high
    assert attack_inference(*tables, 2, seed=seed).main.trials == min(rows, held_out)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 9), st.integers(0, 9))
def test_too_few_rows_are_refused(rows, held_out):
    for attack in ATTACKS.values():
        with pytest.raises(GanvasError):
            attack(draw_table(rows, 0), draw_table(held_out, 1), draw_table(50, 2), 0)


def test_what_cannot_be_attacked_is_refused():
    table = draw_table(40, 0)
    for call, message in (
        (lambda: attack_membership_by_distance(table, table.select([0]), table), "other columns"),
        (lambda: attack_membership_by_density(table, table, table, table.take(slice(3))), "reference has 3 rows"),
        (lambda: attack_linkability(table, table, table, ([0, 1], [1, 2])), "each once"),
        (lambda: attack_linkability(table, table, table, ([0], [])), "both sides"),
        (lambda: attack_linkability(table, table, table, neighbours=41), "1 to 40 neighbours"),
        (lambda: attack_inference(table, table, table, 1, [1, 2]), "each once"),
        (lambda: attack_inference(table, table, table, 9), r"columns 0\.\.5"),
        (lambda: attack_inference(*[table.select([0])] * 3, 0), "one alone"),
        (lambda: attack_by_singling_out(table, table, table, 0), "1 column and 1 attempt"),
        (lambda: measure_closest_records(table, table, table.take(slice(0))), "0 rows is too small"),
        (lambda: attack_membership_by_logit(np.full(20, np.nan), np.ones(20)), "NaN"),
        (lambda: attack_membership_by_logit(np.ones(5), np.ones(20)), "got 5 and 20"),
    ):
        with pytest.raises(GanvasError, match=message):
            call()
