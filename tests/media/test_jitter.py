"""Random jitter: what is enlarged and cut, and that pairs stay together."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from ganvas.data import Columns
from ganvas.data.columns import ColumnsCodec
from ganvas.data.items import ItemList
from ganvas.errors import GanvasError
from ganvas.media import Image, ImageCodec
from ganvas.media.label_maps import LabelMapCodec


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_enlarged_pictures_are_cut_at_random_as_pillow_enlarges_them():
    codec = ImageCodec(size="32x16", channels=3, enlarge=1.25)
    stored = torch.from_numpy(64 + noise(64, 16, 32, 3) // 2)  # Pillow clips what overshoots between its two passes
    x = codec.load(stored, torch.Generator().manual_seed(2))
    assert x.shape == (64, 3, 16, 32)
    assert x.is_contiguous(memory_format=torch.channels_last)
    places = set()
    for picture, part in zip(stored.numpy(), codec.store(x).numpy(), strict=True):
        enlarged = np.asarray(Pillow.fromarray(picture).resize((40, 20), Pillow.Resampling.BICUBIC)).astype(int)
        errors = {
            (top, left): abs(enlarged[top : top + 16, left : left + 32] - part).max() for top in range(5) for left in range(9)
        }
        place = min(errors, key=lambda place: errors[place])
        assert errors[place] <= 1
        places.add(place)
    assert {top for top, _ in places} == set(range(5))
    assert {left for _, left in places} == set(range(9))
    assert torch.equal(codec.load(stored, None), ImageCodec(size="32x16", channels=3).load(stored, None))


def test_a_pair_is_enlarged_and_cut_together_also_with_its_map_of_labels():
    picture = torch.zeros(50, 32, 32, 1, dtype=torch.uint8)
    picture[:, 10:20, 7:22] = 255
    codecs = {
        "x": ImageCodec(size=32, channels=1, flip=True, enlarge=286 / 256),
        "source": ImageCodec(size=32, channels=1, flip=True, enlarge=286 / 256),
        "map": LabelMapCodec(size=32, values=(0, 1), flip=True, enlarge=286 / 256),
    }
    stored = {"x": picture, "source": 255 - picture, "map": picture // 255}
    batch = ColumnsCodec(columns=codecs).load_columns(stored, torch.Generator().manual_seed(3))
    assert torch.allclose(batch["x"], -batch["source"], atol=1e-5)
    assert len(batch["x"].flatten(1).unique(dim=0)) > 15
    is_inside = batch["map"][:, 1:].bool()
    assert ((batch["x"] > 0) == is_inside).float().mean() > 0.99
    assert batch["map"].sum(1).eq(1).all()


@pytest.mark.parametrize(("setting", "value"), [("flip", True), ("enlarge", 1.1)])
def test_pairs_that_would_be_jittered_apart_are_refused(setting: str, value: Any):
    pair: Any = {"x": noise(8, 8, 3), "source": noise(8, 8, 3)}
    items = ItemList(["a"], lambda index: pair, "f", "pairs")
    medium = Columns(media={"x": Image(size=8, **{setting: value}), "source": Image(size=8)})
    with pytest.raises(GanvasError, match=f"{setting} is {value} for x and .* for source, so pairs would no longer fit"):
        medium.fit(items)


def test_an_enlargement_out_of_range_is_refused():
    with pytest.raises(GanvasError, match="enlarge"):
        Image(enlarge=0.9)
