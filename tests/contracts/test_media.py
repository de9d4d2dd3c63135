"""What every medium promises, whichever there are: each @config class with `fit` in ganvas.media is found and tried."""

import importlib
import inspect
import json
import pkgutil

import numpy as np
import pyarrow
import pytest
import torch
from PIL.Image import Image as Picture

import ganvas.media
from ganvas.configuration import from_json, is_config, to_json
from ganvas.core import Codec, Condition, Medium
from ganvas.data import ItemList, read_frame
from ganvas.data.items import build_array_items
from ganvas.data.series import WindowCut, build_windows, order_rows
from ganvas.media import BinColumn, CategoryColumn, KeyColumn

SETTINGS = {  # of media that know nothing by themselves
    "PublicTable": {
        "columns": (
            BinColumn(name="size", type="double", edges=(-4.0, -1.0, 0.0, 4.0), decimals=3),
            CategoryColumn(name="colour", type="string", values=("red",), shares=(0.0,) * 3, has_rest=True, has_missing=True),
            KeyColumn(name="id", type="int64"),
        )
    }
}
NOTE = {"Generator": "ganvas", "Seed": "7"}


def media():
    """One of each medium, with the settings it starts with, and those in which it draws random numbers."""
    for module in pkgutil.walk_packages(ganvas.media.__path__, "ganvas.media."):
        for name, cls in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if cls.__module__ == module.name and hasattr(cls, "fit") and "__dataclass_fields__" in vars(cls):
                yield pytest.param(cls(**SETTINGS.get(name, {})), id=name)
                if "flip" in cls.__dataclass_fields__:
                    yield pytest.param(cls(flip=True), id=f"{name}-flip")


def some_items():
    """Kinds of items, of which each medium has to take one."""
    random = np.random.default_rng(0)
    yield build_array_items(random.integers(0, 256, (12, 16, 16, 3), dtype=np.uint8), None, "images", "f", "images")
    yield build_array_items(random.standard_normal((12, 2)), None, "points", "f", "points")
    texts = [f"a {colour} {thing}" for colour in ("red", "blue", "green") for thing in ("hat", "car", "house", "tree")]
    yield ItemList(texts, lambda index: json.dumps([texts[index]]).encode(), "captions", "captions")
    yield build_array_items(random.integers(0, 5, (12, 16, 16), dtype=np.uint8), None, "labels", "f", "labels")
    yield read_frame(
        pyarrow.table(
            {"size": random.standard_normal(60), "colour": ["red", "blue", None] * 20, "id": [f"a{i}" for i in range(60)]}
        )
    )

    rows = {"size": random.standard_normal(60), "colour": ["red", "blue", None] * 20}
    yield build_windows(order_rows(read_frame(pyarrow.table(rows))), WindowCut(5, 2), is_held_out=False)
    words = [b"oak", b"beech", "kirschbäume".encode(), b"e"] * 3
    yield ItemList([str(k) for k in range(len(words))], words.__getitem__, "f", "words")


def fitted(medium: Medium) -> tuple[Codec, torch.Tensor]:
    refusals = []
    for items in some_items():
        try:
            codec = medium.fit(items)
            return codec, torch.from_numpy(np.stack([codec.encode(items[i]) for i in range(len(items))]))
        except Exception as error:
            refusals.append(error)
    raise AssertionError(f"{medium} takes none of the items known here; add some for it: {refusals}")


@pytest.fixture(params=media())
def medium(request) -> Medium:
    return request.param


def test_there_are_media():
    assert len(list(media())) >= 3


def test_settings_survive_json(medium):
    codec, _ = fitted(medium)
    assert isinstance(medium, Medium)
    assert isinstance(codec, Codec)
    for value in (medium, codec):
        assert is_config(value)
        assert from_json(json.loads(json.dumps(to_json(value)))) == value


def test_suffixes_are_lower_case_and_dotted(medium):
    assert all(s.startswith(".") and s == s.lower() for s in medium.suffixes)


def test_the_spec_says_what_load_gives(medium):
    codec, stored = fitted(medium)
    x = codec.load(stored, torch.Generator().manual_seed(0))
    assert x.dtype == torch.float32
    assert tuple(x.shape[1:]) == codec.spec.shape
    axis = -1 if len(codec.spec.shape) == 2 else 0  # of a series or a text, fields are those of one step
    assert sum(f.size for f in codec.spec.fields) == codec.spec.shape[axis]
    assert all(isinstance(condition, Condition) for condition in codec.spec.conditions.values())


def test_store_undoes_load(medium):
    codec, stored = fitted(medium)
    found = codec.store(codec.load(stored, None))
    assert found.dtype == stored.dtype
    assert torch.equal(found, stored)


def test_load_takes_at_most_one_number_a_sample_in_order(medium):
    """What lets each rank of several load its share of a batch on its own (data.Tensors.batch)."""
    codec, stored = fitted(medium)
    whole = codec.load(stored, torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    torch.rand(5, generator=generator)
    assert torch.equal(codec.load(stored[5:], generator), whole[5:])


def test_encoding_all_at_once_agrees_with_encoding_each(medium):
    codec, stored = fitted(medium)
    at_once = getattr(codec, "encode_all", lambda array: None)(next(some_items()).array)
    if at_once is not None:
        assert torch.equal(torch.from_numpy(at_once), stored)


def test_preview_is_a_picture(medium):
    codec, stored = fitted(medium)
    picture = codec.preview(stored)
    assert isinstance(picture, Picture)
    assert picture.mode in ("L", "RGB")
    assert min(picture.size) >= 64


def test_written_files_are_marked(medium, tmp_path):
    codec, stored = fitted(medium)
    paths = codec.write(stored[:3], tmp_path / "new", 0, NOTE) + codec.write(stored[3:5], tmp_path / "new", 3, NOTE)
    there = list((tmp_path / "new").iterdir())
    assert {p.name for p in paths} <= {p.name for p in there}
    assert not [p for p in there if p.name.startswith(".")]
    marks = b"".join(p.read_bytes() for p in there)
    assert all(k.encode() in marks and v.encode() in marks for k, v in NOTE.items())
