"""Categories: a one-hot of the values that enough rows hold, of the rest, and of missing values."""

from typing import Any, NamedTuple

import numpy as np

from ....configuration import config
from ....core import Field
from ....system.arrow import import_arrow, parse_arrow_type
from .column import CodeLayout, drop_not_numbers

REST_TEXT = "other"  # what the rest is decoded to in a column of texts; in others it is missing


@config
class CategoryColumn:
    """Codes: the values in their order, then the rest and missing values, if there are any."""

    name: str
    type: str
    values: tuple[str, ...]
    shares: tuple[float, ...]  # of all rows, one for each code
    has_rest: bool = False
    has_missing: bool = False

    @property
    def metadata(self) -> dict[bytes, bytes]:
        return {}

    @property
    def fields(self) -> tuple[Field, ...]:
        return (Field(self.name, len(self.shares), "categorical", self.shares),)

    def lay_out(self) -> CodeLayout:
        nothing = np.full(len(self.shares), np.nan)
        return CodeLayout(np.arange(len(self.shares)), nothing, nothing, np.array(self.shares), nothing)

    def encode(self, values: Any) -> np.ndarray:
        """A value that is not known is the rest. Where training had neither a rest nor missing values, the commonest value."""
        arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
        texts = drop_not_numbers(values).cast(arrow.string())
        codes = compute.index_in(texts, value_set=arrow.array(self.values, arrow.string()))
        commonest = int(np.argmax(self.shares))
        rest = len(self.values) if self.has_rest else commonest
        missing = len(self.shares) - 1 if self.has_missing else rest
        return compute.if_else(compute.is_null(texts), missing, compute.fill_null(codes, rest)).to_numpy(
            zero_copy_only=False
        ).astype(np.uint16)  # fmt: skip

    def decode(self, codes: np.ndarray, places: np.ndarray, rows: np.ndarray) -> Any:
        arrow = import_arrow()
        kind = parse_arrow_type(self.type)
        rest = [_name_rest(self.values) if arrow.types.is_string(kind) or arrow.types.is_large_string(kind) else None]
        texts = [*self.values, *(rest if self.has_rest else []), *([None] if self.has_missing else [])]
        return arrow.array(texts, arrow.string()).take(arrow.array(codes)).cast(kind)


class CategoryCount(NamedTuple):
    """How many different values became the rest, and how many rows hold them."""

    values: int
    rows: int


def fit_category_column(name: str, values: Any, k: int, most: int) -> tuple[CategoryColumn | None, CategoryCount]:
    """The codec of a column (pyarrow array). It keeps the `most` commonest of the values that k rows hold; None if none is."""
    arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
    texts = drop_not_numbers(values).cast(arrow.string())
    pairs = compute.value_counts(texts.drop_null())
    counts = pairs.field("counts").to_numpy(zero_copy_only=False)
    order = np.argsort(-counts, kind="stable")[:most]
    order = order[counts[order] >= k]
    kept_values = pairs.field("values").take(arrow.array(order)).to_pylist()
    by_name = np.argsort(np.array(kept_values, dtype=object), kind="stable")
    rest = CategoryCount(len(counts) - len(order), int(counts.sum() - counts[order].sum()))
    code_counts = [*counts[order][by_name].tolist(), *([rest.rows] if rest.rows else [])]
    code_counts += [texts.null_count] if texts.null_count else []
    if not kept_values:
        return None, rest
    return CategoryColumn(
        name=name,
        type=str(values.type),
        values=tuple(kept_values[i] for i in by_name),
        shares=tuple(count / len(values) for count in code_counts),
        has_rest=rest.rows > 0,
        has_missing=texts.null_count > 0,
    ), rest


def _name_rest(values: tuple[str, ...]) -> str:
    """A text for the rest that no value is."""
    name = REST_TEXT
    while name in values:
        name = f"({name})"
    return name
