"""What is known of each sample besides labels: columns of few values, such as the colour of hair. Networks do not see them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from .names import list_examples

UNSEEN = "attributes for scores alone, which networks do not see"  # the beginning of the note about them
MAX_ATTRIBUTES, MAX_ATTRIBUTE_VALUES, MAX_VALUE_CHARACTERS = 32, 64, 64


class Attribute(NamedTuple):
    """A property that every sample has one value of."""

    name: str
    values: tuple[str, ...]


@runtime_checkable
class AttributedItems(Protocol):
    """Items of which attributes are known."""

    attributes: tuple[Attribute, ...]  # () without attributes
    attribute_values: np.ndarray | None  # int64 [N, A], indices into the values of each attribute


class AttributeReading(NamedTuple):
    """The attributes of samples, and a note about the columns that are none."""

    attributes: tuple[Attribute, ...]
    values: np.ndarray  # int64 [N, A]
    notes: tuple[str, ...] = ()


def derive_attributes(cells: Sequence[Sequence[Mapping[str, Any]]]) -> AttributeReading:
    """Attributes from the further columns of a table. Each sample has one row of cells or more.

    A column is an attribute if it has from 2 to 64 values, at most half as many as samples, and the rows of a sample agree.
    """
    columns = list(dict.fromkeys(column for rows in cells for row in rows for column in row))
    texts = {column: [{_format_value(row.get(column)) for row in rows} for rows in cells] for column in columns}
    attributes, indices, other_columns = list[Attribute](), list[list[int]](), list[str]()
    for column in columns:
        values = sorted(set[str]().union(*texts[column]))
        is_attribute = (
            all(len(sample_texts) == 1 for sample_texts in texts[column])
            and 2 <= len(values) <= min(MAX_ATTRIBUTE_VALUES, len(cells) / 2)
            and max(map(len, values)) <= MAX_VALUE_CHARACTERS
            and len(attributes) < MAX_ATTRIBUTES
        )
        if is_attribute:
            numbers = {value: k for k, value in enumerate(values)}
            attributes.append(Attribute(column, tuple(values)))
            indices.append([numbers[next(iter(sample_texts))] for sample_texts in texts[column]])
        else:
            other_columns.append(column)
    stacked = np.array(indices, np.int64).reshape(len(attributes), len(cells)).T
    return AttributeReading(tuple(attributes), np.ascontiguousarray(stacked), _describe_columns(attributes, other_columns))


def _format_value(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _describe_columns(attributes: Sequence[Attribute], other_columns: Sequence[str]) -> tuple[str, ...]:
    notes = list[str]()
    if attributes:
        names = ", ".join(f"{attribute.name} ({len(attribute.values)} values)" for attribute in attributes)
        notes.append(f"{UNSEEN}: {names}")
    if other_columns:
        rule = f"an attribute has 2 to {MAX_ATTRIBUTE_VALUES} values, at most half as many as there are pictures"
        notes.append(f"columns that are no attributes: {list_examples(other_columns)}; {rule}")
    return tuple(notes)
