"""Try a codec on rows that no generator should give, and see that its rules hold all the same."""

import numpy as np

from ...errors import GanvasError
from ...system.arrow import import_arrow
from .codec import TableCodec
from .columns import ColumnCodec
from .columns.date import count_time
from .columns.number import convert_to_numbers
from .rules.numbers import is_date_type, is_number_type
from .rules.rule import write_cells

RANDOM_ROWS, EXTREME_ROWS = 1500, 500


def check_rules(codec: TableCodec) -> None:
    """Raise GanvasError if a rule of the codec fails on random or on extreme codes: rules that cannot hold together.

    Where all columns have their least or greatest values, sums and orders reach their own. So bounds of these are certain.
    """
    random = np.random.default_rng(0)
    shape = (EXTREME_ROWS + RANDOM_ROWS, len(codec.columns))
    counts = np.array([len(column.lay_out().hot) for column in codec.columns])
    codes, places = random.integers(0, counts, shape), random.random(shape)
    is_high = np.concatenate([np.zeros((1, shape[1]), bool), np.ones((1, shape[1]), bool), random.random(shape)[2:] < 0.5])
    extremes = np.stack([_find_extreme_codes(column) for column in codec.columns])  # [C, 2]
    codes[:EXTREME_ROWS] = np.where(is_high, extremes[:, 1], extremes[:, 0])[:EXTREME_ROWS]
    places[:EXTREME_ROWS] = is_high[:EXTREME_ROWS]
    arrow = import_arrow()
    try:
        table = codec.decode_places(codes, places, np.arange(shape[0]))
    except arrow.ArrowException as error:
        reason = str(error).partition("\n")[0][:120]
        raise GanvasError(f"the rules lead to values that a column's type does not hold ({reason}): widen the type") from error
    for rule in codec.rules:
        rows = np.flatnonzero(rule.mark_broken_rows(table))
        if len(rows):
            example = write_cells(table.slice(int(rows[0]), 1), rule.columns)
            others = ", ".join(f'"{other.describe()}"' for other in codec.rules if other is not rule)
            cause = f"because of others ({others})" if others else "because of a column's type"
            remedy = "leave one of these rules out" if others else "widen the type"
            raise GanvasError(
                f'the rule "{rule.describe()}" could fail {cause}: a row could have {example}. Correct this: {remedy}'
            )


def _find_extreme_codes(column: ColumnCodec) -> np.ndarray:
    """The codes of the least and of the greatest value that a column is decoded to: int64 [2]. Of texts, the first."""
    codes = np.arange(len(column.lay_out().hot))
    ends = [column.decode(codes, np.full(len(codes), place), codes) for place in (0.0, 1.0)]
    if not (is_number_type(ends[0].type) or is_date_type(ends[0].type)):
        return np.zeros(2, np.int64)
    low, high = (convert_to_numbers(count_time(e, "microseconds") if is_date_type(e.type) else e) for e in ends)
    if np.isnan(low).all():
        return np.zeros(2, np.int64)
    return np.array([np.nanargmin(low), np.nanargmax(high)])
