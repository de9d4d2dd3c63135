"""Mixtures: where the modes are, how wide they are, and the same points for the same settings."""

import math

import numpy as np
import pytest

from ganvas.configuration import from_json, to_json
from ganvas.core import Source
from ganvas.data import Mixture
from ganvas.errors import GanvasError


def test_a_ring():
    centres = np.array(Mixture(modes=6, scale=2.0).centres)
    assert np.hypot(*centres.T) == pytest.approx([2.0] * 6)
    assert centres[0] == pytest.approx([2.0, 0.0])
    assert math.dist(centres[0], centres[1]) == pytest.approx(2.0)  # a hexagon's side is its radius


def test_a_grid():
    centres = Mixture(layout="grid", modes=25, scale=4.0).centres
    assert set(centres) == {(x, y) for x in (-4.0, -2.0, 0.0, 2.0, 4.0) for y in (-4.0, -2.0, 0.0, 2.0, 4.0)}
    assert Mixture(layout="grid", modes=1).centres == ((0.0, 0.0),)


@pytest.mark.parametrize("source", [Mixture(), Mixture(layout="grid", modes=25, std=0.05, count=50_000)])
def test_the_points_are_where_they_should_be(source):
    found = source.items(())
    assert isinstance(source, Source)
    assert found.array is not None
    assert found.array.dtype == np.float32
    assert found.array.shape == (source.count, 2)
    assert found.labels is not None
    offsets = found.array - np.array(source.centres)[found.labels]
    assert offsets.mean(0) == pytest.approx([0, 0], abs=5 * source.std / math.sqrt(source.count))
    assert offsets.std(0) == pytest.approx([source.std] * 2, rel=0.02)
    counts = np.bincount(found.labels)
    assert len(counts) == source.modes == len(found.classes)
    assert np.abs(counts / source.count - 1 / source.modes).max() < 5 * math.sqrt(1 / source.modes / source.count)


def test_draws_are_repeatable_and_held_out_points_are_others():
    first, again, other = (Mixture(count=100, seed=s).items(()) for s in (0, 0, 1))
    held_out = Mixture(count=100).held_out(())
    assert first.array is not None
    assert (first.array == again.array).all()
    assert first.fingerprint == again.fingerprint
    assert len({first.fingerprint, other.fingerprint, held_out.fingerprint}) == 3
    assert len(held_out) == 10_000
    assert held_out.array is not None
    assert not (held_out.array[:100] == first.array).any()


def test_settings_survive_json_and_bad_ones_are_refused():
    source = Mixture(layout="grid", modes=9)
    assert from_json(to_json(source)) == source
    with pytest.raises(GanvasError, match=r"modes must be a square number for a grid, got 8: set --data\.modes 9"):
        Mixture(layout="grid", modes=8)
    for bad in ({"modes": 0}, {"std": -1.0}, {"count": 1}, {"scale": 0.0}, {"std": float("nan")}):
        with pytest.raises(GanvasError, match=r"got .*: (set|correct) --data"):
            Mixture(**bad)
