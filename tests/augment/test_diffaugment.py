"""DiffAugment against what its parts must do."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from ganvas.augment import DiffAugment
from ganvas.augment.diffaugment import erase_squares, recolour_samples, shift_samples
from ganvas.core import Clock
from ganvas.errors import GanvasError


@pytest.mark.parametrize(
    ("out", "parts"),
    [
        ("all", DiffAugment()),
        ("color", DiffAugment(shift=0.0, cut=0.0)),
        ("translation", DiffAugment(colour=False, cut=0.0)),
        ("cutout", DiffAugment(colour=False, shift=0.0)),
    ],
)
def test_it_is_the_originals(out: str, parts: DiffAugment, goldens: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given the same draws, what the authors' code makes of them."""
    golden = load_file(goldens / "functional.safetensors")
    shares = torch.stack([golden[f"in/da_u_{name}"] for name in ("brightness", "saturation", "contrast")])
    whole = [golden[f"in/da_shift_{side}"].view(5, 1) for side in "hw"] if parts.shift else []
    whole += [golden[f"in/da_cut_{side}"].view(5, 1) for side in "hw"] if parts.cut else []
    drawn = iter(whole)
    monkeypatch.setattr(torch, "rand", lambda size, device: shares)
    monkeypatch.setattr(torch, "randint", lambda least, most, size, device: next(drawn))
    found = parts(golden["in/da_x"], Clock(0, 0, 1), nn.ModuleDict())
    assert (found - golden[f"out/da_{out}"]).abs().max() < 1e-6
    assert next(drawn, None) is None


def test_nothing_asked_is_nothing_done() -> None:
    x = torch.randn(4, 3, 8, 8)
    assert torch.equal(DiffAugment(colour=False, shift=0.0, cut=0.0)(x, Clock(0, 0, 1), nn.ModuleDict()), x)


def test_a_shift_moves_whole_pixels_by_at_most_its_share() -> None:
    x = torch.zeros(500, 1, 16, 16)
    x[:, 0, 8, 8] = 1.0
    moved = shift_samples(x, 0.125)
    assert (moved.sum((1, 2, 3)) == 1).all()
    rows, columns = moved[:, 0].flatten(1).argmax(1) // 16, moved[:, 0].flatten(1).argmax(1) % 16
    assert set(rows.tolist()) == set(columns.tolist()) == {6, 7, 8, 9, 10}
    assert len({(int(r), int(c)) for r, c in zip(rows, columns, strict=True)}) == 25  # both directions by themselves
    corner = torch.ones(500, 1, 16, 16)
    kept = shift_samples(corner, 0.125).sum((1, 2, 3))
    assert kept.min() == 14 * 14  # what comes in from outside is 0
    assert kept.max() == 16 * 16


def test_a_cut_is_a_square_of_its_share() -> None:
    kept = erase_squares(torch.ones(2000, 2, 16, 16), 0.5)
    assert torch.equal(kept[:, 0], kept[:, 1])
    gone = (kept[:, 0] == 0).sum((1, 2))
    assert gone.max() == 8 * 8
    assert gone.min() == 4 * 4  # around a corner a quarter of it is left
    filled = kept[0, 0] == 0
    rows, columns = filled.any(1).sum(), filled.any(0).sum()
    assert filled.sum() == rows * columns


def test_colours_keep_to_their_ranges() -> None:
    gray = torch.full((4000, 3, 4, 4), 0.25)
    brighter = recolour_samples(gray)  # no saturation, no contrast: brightness alone shows
    assert (brighter[:, :, :1, :1] - brighter).abs().max() < 1e-6
    change = brighter[:, 0, 0, 0] - 0.25
    assert change.abs().max() <= 0.5
    assert abs(change.std() - 1 / 12**0.5) < 0.01
    half = torch.ones(4000, 1, 4, 4)
    half[:, :, :2] = -1
    spread = recolour_samples(half)
    contrast = (spread[:, 0, 3, 0] - spread[:, 0, 0, 0]) / 2
    assert contrast.min() >= 0.5
    assert contrast.max() <= 1.5
    assert abs(contrast.mean() - 1) < 0.02


@pytest.mark.parametrize("wrong", [{"shift": 1.0}, {"shift": -0.1}, {"cut": 1.0}])
def test_bad_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(GanvasError, match=r"must be in \[0, 1\)"):
        DiffAugment(**wrong)


def test_each_side_of_a_long_image_has_its_own_share() -> None:
    torch.manual_seed(0)
    column_numbers = torch.arange(1.0, 65).expand(1000, 1, 16, 64)
    row_numbers = torch.arange(1.0, 17)[:, None].expand(1000, 1, 16, 64)
    for numbers, pixel, largest in ((column_numbers, 33, 8), (row_numbers, 9, 2)):
        moved = shift_samples(numbers, 0.125)[:, 0, 8, 32]
        assert (moved - pixel).abs().max() == largest
    erased = erase_squares(torch.ones(1000, 1, 16, 64), 0.5) == 0
    assert erased.any(3).sum(2).max() == 8
    assert erased.any(2).sum(2).max() == 32
