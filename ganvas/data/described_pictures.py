"""Pictures together with what is said of them: their class and their attributes, each a column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..configuration import config
from ..core import Items
from ..errors import GanvasError, require
from ..system.arrow import import_arrow
from .files import Files
from .items import ItemList, fingerprint_parts
from .tables import TableRows, read_frame

IMAGE, CLASS, ATTRIBUTES = "image", "class", "attributes"
COLUMNS = (IMAGE, CLASS, ATTRIBUTES)


@dataclass
class DescribedItems:
    """Samples that are mappings by column: {"image": bytes or array, "class": "dress"}."""

    base: Items  # the pictures
    columns: Mapping[str, Sequence[Any]]  # the values of all columns besides the picture, [N] each
    class_names: tuple[str, ...]  # in the order of their numbers; () without a class
    has_pictures: bool
    fingerprint: str
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return self.base.title

    @property
    def names(self) -> Sequence[str]:
        return self.base.names

    @property
    def column_names(self) -> tuple[str, ...]:
        return (*((IMAGE,) if self.has_pictures else ()), *self.columns)

    @property
    def pictures(self) -> Items | None:
        return self.base if self.has_pictures else None

    @property
    def rows(self) -> TableRows | None:
        """The columns besides the picture, as rows of a table. Raises GanvasError if pyarrow is missing."""
        if not self.columns:
            return None
        return read_frame(import_arrow().table({name: list(values) for name, values in self.columns.items()}), self.title)

    def __len__(self) -> int:
        return len(self.base)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        picture = {IMAGE: self.base[index]} if self.has_pictures else {}
        return picture | {name: values[index] for name, values in self.columns.items()}


@config
class DescribedPictures:
    """Pictures of a folder or another set that `Files` reads, and the columns that describe them.

    columns: "image", "class" (of folders or labels.csv), "attributes" (the columns of a labels.csv that has several).
    test: another path: samples kept out of training, to score against.
    """

    path: str
    columns: tuple[str, ...] = (IMAGE, CLASS)
    test: str | None = None

    def __post_init__(self) -> None:
        for name in self.columns:
            require(name in COLUMNS, "columns", name, f"some of {', '.join(COLUMNS)}")
        require(bool(self.columns) and len(set(self.columns)) == len(self.columns), "columns", self.columns, "each once")

    def items(self, suffixes: tuple[str, ...]) -> DescribedItems:
        """The training samples. Raises GanvasError for pictures without the class or the attributes that are asked for."""
        return describe_items(Files(path=self.path).items(suffixes), self.columns)

    def held_out(self, suffixes: tuple[str, ...]) -> DescribedItems | None:
        """The test part, if the set has one."""
        test_items = Files(path=self.path, test=self.test).held_out(suffixes)
        return None if test_items is None else describe_items(test_items, self.columns)


def describe_items(items: ItemList, columns: Sequence[str] = (IMAGE, CLASS)) -> DescribedItems:
    """Pictures with their labels as columns of their own."""
    class_names = list_class_names(items) if CLASS in columns else ()
    values: dict[str, Sequence[Any]] = {}
    if CLASS in columns:
        assert items.labels is not None
        values[CLASS] = [class_names[k] for k in items.labels]
    if ATTRIBUTES in columns:
        values |= list_attributes(items)
    fingerprint = fingerprint_parts(items.fingerprint, *columns)
    return DescribedItems(items, values, class_names, IMAGE in columns, fingerprint)


def list_class_names(items: ItemList) -> tuple[str, ...]:
    """The classes in the order of their numbers. Raises GanvasError for items without classes."""
    if items.labels is None or items.labels.ndim != 1:
        reasons = "; ".join(items.label_notes)
        raise GanvasError(
            f"{items.title} has no classes{f' ({reasons})' if reasons else ''}: give a folder with a subfolder for each class, "
            "or leave the column class out"
        )
    return items.classes or tuple(map(str, range(int(items.labels.max()) + 1)))


def list_attributes(items: ItemList) -> dict[str, Sequence[Any]]:
    """The columns of attributes. Raises GanvasError for items without any."""
    if items.labels is None or items.labels.ndim != 2:
        raise GanvasError(
            f"{items.title} has no attributes: give a labels.csv with a column for each, or leave the column attributes out"
        )
    columns = items.labels.astype(np.float64)
    is_whole = (columns == columns.round()).all(0)
    return {
        name: [int(value) if whole else float(value) for value in column]
        for name, column, whole in zip(items.classes, columns.T, is_whole, strict=True)
    }
