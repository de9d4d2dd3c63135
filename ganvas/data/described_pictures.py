"""Pictures together with what is said of them: their class, their attributes and their caption, each a column."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..configuration import config
from ..core import Items
from ..errors import GanvasError, require
from ..system.arrow import import_arrow
from .attributes import UNSEEN
from .captioned import Captioned, find_captions
from .files import Files
from .items import ItemList, fingerprint_parts
from .tables import TableRows, read_frame

IMAGE, CLASS, ATTRIBUTES, CAPTION = "image", "class", "attributes", "caption"
COLUMNS = (IMAGE, CLASS, ATTRIBUTES, CAPTION)


@dataclass
class DescribedItems:
    """Samples that are mappings by column: {"image": bytes or array, "hair": "afro", "caption": "a red afro"}."""

    base: ItemList  # the pictures
    columns: Mapping[str, Sequence[Any]]  # the values of the table's columns, [N] each
    captions: Sequence[str]  # [N], or none
    class_names: tuple[str, ...]  # in the order of their numbers; () without a class
    has_pictures: bool
    fingerprint: str
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()
    label_notes: tuple[str, ...] = ()
    title: str = field(init=False)
    names: Sequence[str] = field(init=False)
    notes: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.title, self.names = self.base.title, self.base.names
        self.notes = tuple(note for note in self.base.notes if not (self.columns and note.startswith(UNSEEN)))

    @property
    def column_names(self) -> tuple[str, ...]:
        return (*((IMAGE,) if self.has_pictures else ()), *self.columns, *((CAPTION,) if self.captions else ()))

    @property
    def pictures(self) -> Items | None:
        return self.base if self.has_pictures else None

    @property
    def rows(self) -> TableRows | None:
        """The table's columns as rows. Raises GanvasError if pyarrow is missing."""
        if not self.columns:
            return None
        return read_frame(import_arrow().table({name: list(values) for name, values in self.columns.items()}), self.title)

    def __len__(self) -> int:
        return len(self.base)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        picture = {IMAGE: self.base[index]} if self.has_pictures else {}
        caption = {CAPTION: self.captions[index]} if self.captions else {}
        return picture | {name: values[index] for name, values in self.columns.items()} | caption


@config
class DescribedPictures:
    """Pictures of a folder or another set that `Files` or `Captioned` reads, and the columns that describe them.

    columns: "image"; "class", of folders or labels.csv; "attributes", the further columns of captions.csv, or those of a
        labels.csv that has several; "caption", the first one of each picture.
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
        """The training samples. Raises GanvasError for pictures that lack a column."""
        return describe_items(self._choose_source(suffixes).items(suffixes), self.columns)

    def held_out(self, suffixes: tuple[str, ...]) -> DescribedItems | None:
        """The test part, if the set has one."""
        source = self._choose_source(suffixes)
        if self.test is not None and isinstance(source, Captioned):
            return describe_items(replace(source, path=self.test).items(suffixes), self.columns)
        test_items = source.held_out(suffixes)
        return None if test_items is None else describe_items(test_items, self.columns)

    def _choose_source(self, suffixes: tuple[str, ...]) -> Files | Captioned:
        """Captions and their further columns, or labels."""
        is_place = Path(self.path).expanduser().exists()
        if CAPTION in self.columns or (ATTRIBUTES in self.columns and is_place and find_captions(self.path, suffixes)):
            if CLASS in self.columns:
                raise GanvasError(f"{CLASS} is of pictures without captions: take {ATTRIBUTES}, or leave {CAPTION} out")
            return Captioned(path=self.path)
        return Files(path=self.path, test=self.test)


def describe_items(items: ItemList, columns: Sequence[str] = (IMAGE, CLASS)) -> DescribedItems:
    """Pictures with their labels, attributes and captions as columns of their own.

    Raises:
        GanvasError: they lack a column.
    """
    class_names = list_class_names(items) if CLASS in columns else ()
    values: dict[str, Sequence[Any]] = {}
    if CLASS in columns and items.labels is not None:
        values[CLASS] = [class_names[k] for k in items.labels]
    if ATTRIBUTES in columns:
        values |= list_attributes(items)
    for name in {IMAGE, CAPTION} & set(values):
        raise GanvasError(f"{items.title} has an attribute called {name}, which is the name of another column: rename it")
    captions = [json.loads(bytes(items[i]["text"]))[0] for i in range(len(items))] if CAPTION in columns else []  # type: ignore[call-overload]
    return DescribedItems(
        base=select_pictures(items),
        columns=values,
        captions=captions,
        class_names=class_names,
        has_pictures=IMAGE in columns,
        fingerprint=fingerprint_parts(items.fingerprint, *columns),
    )


def select_pictures(items: ItemList) -> ItemList:
    """The items as pictures alone, without labels."""

    def read_picture(index: int) -> Any:
        item: Any = items[index]
        return item["x"] if isinstance(item, Mapping) else item

    return replace(items, read_item=read_picture, labels=None, classes=())


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
    if items.attribute_values is not None and items.attributes:
        pairs = zip(items.attributes, items.attribute_values.T, strict=True)
        return {attribute.name: [attribute.values[k] for k in codes] for attribute, codes in pairs}
    if items.labels is None or items.labels.ndim != 2:
        raise GanvasError(
            f"{items.title} has no attributes: give captions.csv or labels.csv with a column for each, or leave attributes out"
        )
    columns = items.labels.astype(np.float64)
    is_whole = (columns == columns.round()).all(0)
    return {
        name: [int(value) if whole else float(value) for value in column]
        for name, column, whole in zip(items.classes, columns.T, is_whole, strict=True)
    }
