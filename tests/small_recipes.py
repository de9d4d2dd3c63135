"""What tests train: recipes cut down to seconds, on data they make themselves."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow
import torch

from ganvas.configuration import is_config
from ganvas.core import Condition, Dataset, DerivingCodec, Features, Field, RealFeatures, Spec
from ganvas.data import ClassCondition, Columns, ColumnsCodec, ItemList, VectorCondition, read_frame
from ganvas.data.columns import list_column_codecs, load_batch
from ganvas.data.series import WindowCut, build_windows, order_rows
from ganvas.media import (
    BinColumn,
    CaptionCodec,
    Captions,
    CategoryColumn,
    Degraded,
    DegradedCodec,
    ImageCodec,
    LabelMap,
    LabelMapCodec,
    Letters,
    LettersCodec,
    PointsCodec,
    PublicTable,
    SampleCondition,
    ScaledSeries,
    Series,
    SeriesCodec,
    Table,
    TableCodec,
    TableModes,
    TextCondition,
)
from ganvas.media.conditions import derive_sample_condition
from ganvas.recipe import Recipe, TextJudge
from hashed_words import HashedWords


def class_condition(size: int, names: tuple[str, ...] = (), shares: tuple[float, ...] | None = None) -> ClassCondition:
    return ClassCondition(names=names, shares=(1 / size,) * size if shares is None else shares)


def vector_condition(
    size: int, names: tuple[str, ...] = (), examples: tuple[tuple[float, ...], ...] | None = None
) -> VectorCondition:
    return VectorCondition(names=names, examples=((0.0,) * size,) if examples is None else examples)


def image_condition(shape: tuple[int, ...]) -> SampleCondition:
    """Pictures of (channels, height, width) to start from; of one dimension, rows of numbers."""
    is_image = len(shape) == 3
    codec = ImageCodec(size=f"{shape[2]}x{shape[1]}", channels=shape[0]) if is_image else PointsCodec(dim=shape[0])
    return SampleCondition(codec=codec, examples=())


def text_condition() -> TextCondition:
    """Texts of a few words."""
    codec = small_codec(Captions())
    return codec.derive_condition(torch.from_numpy(np.stack([codec.encode(caption(k)) for k in range(12)])))


def both(features: Features) -> RealFeatures:
    """Real samples that a metric looks at, whichever part it takes."""
    return RealFeatures(features, features, (features,), features)


class Noise:
    """A data set of random samples in the shape of a codec."""

    title, fingerprint, skipped = "noise", "noise", 0

    def __init__(self, codec: Any, count: int = 96) -> None:
        self.codec, self.count = codec, count
        generator = torch.Generator().manual_seed(0)
        self.columns = {name: draw_stored(column, count, generator) for name, column in list_column_codecs(codec).items()}
        self.columns["label"] = torch.arange(count) % 3
        self.stored = self.columns["x"]
        self.conditions: dict[str, Condition] = {"label": class_condition(3, ("a", "b", "c"))}
        if isinstance(codec, DerivingCodec):
            self.conditions |= codec.derive_conditions(self.stored)
        elif "source" in self.columns:
            self.conditions["source"] = derive_sample_condition(codec.columns["source"], self.columns["source"])
        elif "text" in self.columns:
            self.conditions["text"] = codec.columns["text"].derive_condition(self.columns["text"])

    @property
    def spec(self) -> Spec:
        spec = self.codec.spec
        return spec._replace(conditions={**spec.conditions, **self.conditions})

    def __len__(self) -> int:
        return len(self.stored)

    def batch(self, seed: int, size: int) -> dict[str, torch.Tensor]:
        generator = torch.Generator().manual_seed(seed)
        rows = torch.randint(len(self.stored), (size,), generator=generator)
        return dict(load_batch(self.codec, {name: column[rows] for name, column in self.columns.items()}, generator))


def draw_stored(codec: Any, count: int, generator: torch.Generator) -> torch.Tensor:
    if isinstance(codec, ImageCodec):
        return torch.randint(0, 256, (count, *codec.stored_shape), generator=generator, dtype=torch.uint8)
    if isinstance(codec, CaptionCodec):
        return torch.from_numpy(np.stack([codec.encode(caption(k)) for k in range(count)]))
    if isinstance(codec, LabelMapCodec):
        shape = (count, *codec.spec.shape[1:], 1)
        return torch.randint(0, len(codec.values), shape, generator=generator, dtype=torch.uint8)
    if isinstance(codec, SeriesCodec):
        return codec.store(torch.randn(count, *codec.spec.shape, generator=generator))
    if isinstance(codec, LettersCodec):
        x = torch.randn(count, *codec.spec.shape, generator=generator)
        return codec.store(x)
    if isinstance(codec, TableCodec):
        columns = [torch.randint(len(c.lay_out().hot), (count,), generator=generator) for c in codec.columns]
        return torch.stack(columns, 1).to(torch.uint16)
    return torch.randn(count, codec.dim, generator=generator)


def noise(recipe: Recipe) -> Dataset:
    return Noise(codec_for(recipe))


def codec_for(recipe: Recipe) -> Any:
    """What the recipe's medium would fit to small data."""
    if isinstance(recipe.medium, Degraded):
        return DegradedCodec(base=ImageCodec(size=32, channels=3), by=recipe.medium.by)
    if isinstance(recipe.medium, Columns):
        return ColumnsCodec(columns={name: small_codec(medium) for name, medium in recipe.medium.media.items()})
    if isinstance(recipe.medium, (Table, TableModes)):
        return recipe.medium.fit(read_frame(small_table()))
    if isinstance(recipe.medium, (Series, ScaledSeries)):
        windows = build_windows(order_rows(read_frame(small_series()), key="room", time="hour"), WindowCut(5, 1), False)
        assert windows is not None
        return recipe.medium.fit(windows)
    if isinstance(recipe.medium, PublicTable):
        return TableCodec(columns=small_public_columns(), known_share=0.0)
    if isinstance(recipe.medium, Letters):
        return LettersCodec(alphabet="abc", length=6)
    if type(recipe.medium).__name__ == "Points":
        return PointsCodec(dim=2)
    size = recipe.medium.size or 8  # type: ignore[attr-defined]
    return ImageCodec(size=min(size, 16), channels=1, framing="crop", background=255, flip=False)


def small_table(rows: int = 200) -> pyarrow.Table:
    """Two columns of categories and two of numbers, one with gaps."""
    random = np.random.default_rng(0)
    group = random.choice(3, rows, p=[0.7, 0.2, 0.1])
    return pyarrow.table(
        {
            "size": random.normal(10.0 * group, 1.0),
            "group": pyarrow.array(np.array(["a", "b", "c"])[group]),
            "gaps": pyarrow.array(random.gamma(2, 2, rows), mask=random.random(rows) < 0.2),
            "is_new": pyarrow.array(random.random(rows) < 0.3),
        }
    )


def small_series(rooms: int = 30) -> pyarrow.Table:
    """Series of 3 to 12 steps with a static, a category, and two numbers that wander, one with gaps."""
    random = np.random.default_rng(0)
    lengths = random.integers(3, 13, rooms)
    room = np.repeat(np.arange(rooms), lengths)
    warmth = 20 + np.cumsum(random.normal(0, 0.3, len(room)))
    return pyarrow.table(
        {
            "room": [f"room{k}" for k in room],
            "hour": np.arange(len(room)),
            "floor": pyarrow.array(np.array(["low", "high"])[(random.random(rooms) < 0.5)[room].astype(int)]),
            "warmth": np.round(warmth, 1),
            "power": pyarrow.array(random.gamma(2, 2, len(room)), mask=random.random(len(room)) < 0.2),
            "is_open": pyarrow.array(random.random(len(room)) < 0.3),
        }
    )


def small_public_columns() -> tuple[CategoryColumn | BinColumn, ...]:
    """Two columns of categories and one of numbers, described without any data."""
    return (
        CategoryColumn(name="group", type="string", values=("a", "b"), shares=(0.0,) * 3, has_rest=True),
        BinColumn(name="size", type="int64", edges=(0.0, 1.0, 5.0, 10.0)),
        CategoryColumn(name="is_new", type="bool", values=("false", "true"), shares=(0.0,) * 3, has_rest=True),
    )


def caption(k: int) -> bytes:
    """The captions of sample k, as an item: one or two of them."""
    texts = [f"a {'dark' if k % 2 else 'bright'} {'coat' if k % 3 else 'shoe'}", "something to wear"]
    return json.dumps(texts[: 1 + k % 2]).encode()


def small_codec(medium: Any) -> Any:
    """The codec of one column of small data."""
    if isinstance(medium, Captions):
        items = ItemList([str(k) for k in range(12)], caption, "captions", "captions")
        return Captions(encoder=HashedWords()).fit(items)
    return LabelMapCodec(size=16, values=(0, 1, 2)) if isinstance(medium, LabelMap) else ImageCodec(size=16, channels=1)


def small(recipe: Recipe, **train: Any) -> Recipe:
    """The recipe with its smallest networks and a budget of a few steps."""
    budget = {"samples": 64, "minutes": None, "batch": 8, "accumulate": 1, "snapshots": 2, "precision": "fp32"} | train
    evaluation = replace(recipe.evaluation, text_judge=TextJudge(width=4, steps=4, batch=8))
    return replace(recipe, nets=recipe.nets.smallest(), train=replace(recipe.train, **budget), evaluation=evaluation)


def modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for found in pkgutil.walk_packages(getattr(package, "__path__", []), package.__name__ + "."):
        yield importlib.import_module(found.name)


def components(package: ModuleType, *needs: str) -> dict[str, Any]:
    """Every @config class of a package that has the named attributes and can be made without arguments, made."""
    found: dict[str, Any] = {}
    for module in modules(package):
        for name, value in vars(module).items():
            if not isinstance(value, type) or value.__module__ != module.__name__ or getattr(value, "_is_protocol", False):
                continue
            if all(hasattr(value, need) for need in needs):
                made = value()
                if is_config(made):
                    found[name] = made
    return dict(sorted(found.items()))


IMAGE8 = Spec((1, 8, 8), (), {})
POINT = Spec((2,), (), {})
ROW = Spec((4,), (Field("a", 3, "categorical"), Field("a.rank", 1, "continuous", where=("a", 1))), {})
WINDOW = Spec((6, 4), ROW.fields, {})
LETTERS = Spec((6, 4), (Field("letter", 4, "categorical", end=0),), {})
WINDOW_OF_STATICS = Spec((6, 6), (*ROW.fields, Field("b", 2, "categorical", is_static=True)), {})
