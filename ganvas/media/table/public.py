"""Tables of which only public knowledge may shape the codec, for private runs: categories and bounds that people give."""

from ...configuration import config
from ...core import Items, TableItems
from ...errors import GanvasError
from .codec import TableCodec
from .columns import ColumnCodec
from .medium import choose_target

NO_BOUNDS = (
    "private runs learn nothing about categories and bounds from the data: write them into a file of bounds, and train with "
    "that and an epsilon (ganvas train, options private and bounds). If there is no such file yet, one to fill in is written"
)


@config
class PublicTable:
    """Rows of a table whose columns are described in advance. Of the data, `fit` reads the columns' names alone.

    columns: a codec for each column of the table.
    target: the column that others are to predict, for scores. Empty: the last one with few categories, or else the last one.
    """

    columns: tuple[ColumnCodec, ...] = ()
    target: str = ""

    @property
    def suffixes(self) -> tuple[str, ...]:
        return ()

    def fit(self, items: Items) -> TableCodec:
        """The codec. Raises GanvasError for items that are no rows, and for columns that only one of the two has."""
        return self.fit_with_reasons(items)[0]

    def fit_with_reasons(self, items: Items) -> tuple[TableCodec, list[str]]:
        """`fit`, and sentences for people."""
        if not isinstance(items, TableItems):
            raise GanvasError(f"{items.title} is no table: give a .csv, .tsv, .parquet, .feather or .jsonl file")
        if not self.columns:
            raise GanvasError(NO_BOUNDS)
        self._check_names([survey.name for survey in items.surveys], items.title)
        learnt = [column for column in self.columns if column.fields]
        if len(learnt) < 2:
            raise GanvasError("a private run needs two columns or more with categories or bounds: describe another one")
        target = self.target or choose_target(self.columns)
        sentence = f"{len(learnt)} of {len(self.columns)} columns are learnt, by public categories and bounds alone"
        return TableCodec(columns=self.columns, target=target, known_share=0.0), [sentence]

    def _check_names(self, names: list[str], title: str) -> None:
        known = [column.name for column in self.columns]
        for name in known:
            if name not in names:
                raise GanvasError(f"the bounds describe {name!r}, which {title} does not have: correct the name, or drop it")
        for name in names:
            if name not in known:
                raise GanvasError(
                    f"the bounds do not describe the column {name!r} of {title}: describe it, or leave it out with "
                    'kind = "text"'
                )
        if self.target and self.target not in known:
            raise GanvasError(f"target is {self.target!r}, which is no column: take one of {', '.join(known[:12])}")
