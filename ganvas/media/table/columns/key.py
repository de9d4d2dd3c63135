"""Keys identify rows, so they are not learnt: new ones are counted, in the form of the old ones."""

import re
import uuid
from typing import Any

import numpy as np

from ....configuration import config
from ....system.arrow import import_arrow, parse_arrow_type
from .column import UnlearntColumn

UUID_PATTERN = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
UUID_SPACE = uuid.UUID("6f2d1c0e-5b7a-5c1e-9d43-67616e766173")  # of all keys that are made here


@config
class KeyColumn(UnlearntColumn):
    """One code. Row i has the key `prefix` + i, with leading zeros up to `digits` of them; or a UUID that i decides."""

    name: str
    type: str
    first: int = 1  # the number of the first row
    prefix: str = ""
    digits: int = 0
    is_uuid: bool = False

    def decode(self, codes: np.ndarray, places: np.ndarray, rows: np.ndarray) -> Any:
        arrow, kind = import_arrow(), parse_arrow_type(self.type)
        numbers: list[int] = (rows + self.first).tolist()
        if arrow.types.is_integer(kind):
            return arrow.array(numbers, arrow.int64()).cast(kind)
        texts = (
            [str(uuid.uuid5(UUID_SPACE, str(number))) for number in numbers]
            if self.is_uuid
            else [f"{self.prefix}{number:0{self.digits}d}" for number in numbers]
        )
        return arrow.array(texts, arrow.string()).cast(kind)


def fit_key_column(name: str, values: Any) -> KeyColumn:
    """The form of a column's keys (pyarrow array): what they all begin with, and how many digits follow."""
    compute, types = import_arrow("pyarrow.compute"), import_arrow("pyarrow.types")
    if not (types.is_string(values.type) or types.is_large_string(values.type)):
        zero_based = types.is_integer(values.type) and compute.min(values).as_py() == 0
        return KeyColumn(name=name, type=str(values.type), first=0 if zero_based else 1)
    texts = values.drop_null()
    if compute.all(compute.match_substring_regex(texts, UUID_PATTERN)).as_py():
        return KeyColumn(name=name, type=str(values.type), is_uuid=True)
    prefix = re.sub(r"\d+$", "", _find_shared_beginning(*compute.min_max(texts).as_py().values()))
    form = f"^{re.escape(prefix)}[0-9]+$"
    if not compute.all(compute.match_substring_regex(texts, form)).as_py():
        return KeyColumn(name=name, type=str(values.type))
    lengths = compute.min_max(compute.utf8_length(texts)).as_py()
    digits = lengths["max"] - len(prefix) if lengths["min"] == lengths["max"] else 0
    return KeyColumn(name=name, type=str(values.type), prefix=prefix, digits=digits)


def _find_shared_beginning(first: str, last: str) -> str:
    """What two texts begin with; of the first and last in order, all between begin with it too."""
    count = next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:count]
