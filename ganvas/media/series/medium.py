"""The medium of time series: chooses a codec for each column, and for what ends a short series."""

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from ...configuration import config
from ...core import ColumnKind, ColumnSurvey, Items, SeriesItems
from ...errors import GanvasError, require
from ...system.arrow import import_arrow
from ..table import KeyColumn, Table
from ..table.columns import ColumnCodec, build_empty_column, fit_key_column
from .codec import SeriesCodec, find_free_name
from .fitting import choose_fitting_rows, counts_series, is_learnt_key

MAX_PIECES = 32  # with 1,024 intervals, codes stay within 16 bits
MAX_REASONS = 60


@config
class Series:
    """Windows of time series.

    k: a value that fewer series hold becomes part of an interval or of "other". Of fewer than 2k series, rows count instead.
    most_categories: a column keeps at most so many of its values; the rest is "other".
    kinds: columns that are something else than they seem, as for `Table`.
    pieces: an interval of numbers is cut into so many, so that small steps of time are kept.
    known_share: in so many windows of training some cells are known, so that windows with gaps can be completed.
    places: where within a code's interval training sees a value: at one place in a whole "window", or anew at each "step".
    """

    k: int = 10
    most_categories: int = 256
    kinds: Mapping[str, ColumnKind] = field(default_factory=dict[str, ColumnKind])
    pieces: int = MAX_PIECES
    places: Literal["window", "step"] = "window"
    known_share: float = 0.25

    def __post_init__(self) -> None:
        require(1 <= self.pieces <= MAX_PIECES, "pieces", self.pieces, f"1 to {MAX_PIECES}")
        require(0 <= self.known_share <= 1, "known_share", self.known_share, "0 to 1")
        self._build_table()  # it checks its settings

    def _build_table(self) -> Table:
        return Table(k=self.k, most_categories=self.most_categories, kinds=self.kinds)

    @property
    def suffixes(self) -> tuple[str, ...]:
        return ()  # a sample is a run of rows, not a file

    def fit(self, items: Items) -> SeriesCodec:
        """The codec. Raises GanvasError for items that are no windows, fewer than 2k rows, or no column to learn."""
        return self.fit_with_reasons(items)[0]

    def fit_with_reasons(self, items: Items) -> tuple[SeriesCodec, list[str]]:
        """`fit`, and a sentence for each column."""
        if not isinstance(items, SeriesItems):
            raise GanvasError(f"{items.title} holds no time series: give a table, and the `window` to cut it into")
        if len(items.series) < 2 * self.k:
            raise GanvasError(f"{items.title} has {len(items.series)} rows: at least {2 * self.k} are needed, or a smaller k")
        names = [survey.name for survey in items.surveys]
        for name in self.kinds:
            require(name in names, "kinds", name, f"names of columns of {items.title}: {', '.join(names[:12])}")
        has_key = is_learnt_key(items, self.k)
        surveys = [survey for survey in items.surveys if has_key or survey.name != items.key]
        pairs = [self._fit_column(survey, items) for survey in surveys]
        columns = tuple(column for column, _ in pairs)
        if not any(column.fields for column in columns if column.name not in items.statics and column.name != items.key):
            raise GanvasError(f"{items.title} has no column to learn: all are keys, constants or free texts. Set their `kinds`")
        codec = SeriesCodec(
            columns=columns,
            statics=(*items.statics, *([items.key] if has_key and items.key else [])),
            window=items.window,
            key=_choose_key(items, names, has_key),
            has_ends=bool((items.lengths < items.window).any()),
            k=self.k,
            pieces=self.pieces,
            places=self.places,
            known_share=self.known_share,
        )
        counting = [] if counts_series(items.series, self.k) else [f"k = {self.k} counts rows, since there are few series"]
        return codec, [*[reason for _, reason in pairs[:MAX_REASONS]], *counting]

    def _fit_column(self, survey: ColumnSurvey, items: SeriesItems) -> tuple[ColumnCodec, str]:
        """A column's codec, and a sentence for people."""
        kind = self.kinds.get(survey.name, survey.kind)
        kind = "category" if survey.name == items.key and kind == "key" else kind
        values = items.table.column(survey.name).combine_chunks()
        rows = values.filter(import_arrow().array(choose_fitting_rows(values, items.series, self.k)))
        metadata = items.table.schema.field(survey.name).metadata or {}
        column, _ = self._build_table().fit_column(survey.name, kind, rows, metadata)
        sentence = f"{survey.sentence}; it never changes within a series" if survey.name in items.statics else survey.sentence
        if column is None:
            return build_empty_column(survey.name, values.type), f"{sentence}; no value is common enough: it is not learnt"
        return column, sentence


def _choose_key(items: SeriesItems, names: list[str], is_learnt: bool) -> KeyColumn:
    """What names generated series: new keys in the form of the old ones, or numbers where the key is learnt, or is none."""
    if items.key is None or is_learnt:
        return KeyColumn(name=find_free_name("series", names), type="int64", first=0)
    return fit_key_column(items.key, items.table.column(items.key).combine_chunks().unique())
