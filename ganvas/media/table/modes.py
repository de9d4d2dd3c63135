"""The medium of tables for CTGAN and TVAE: it finds the modes of each column of numbers. Xu et al. 2019, section 4.2."""

from ...configuration import config
from ...core import Items
from ...errors import require
from .medium import Table
from .mixtures import fit_modes, spread_numbers
from .modes_codec import ModesCodec
from .modes_layout import list_number_columns


@config
class TableModes:
    """Rows of a table whose numbers are normalised by modes.

    table: what is kept of each column. A column whose numbers are all common is a category.
    most_modes: Gaussians of a column of numbers, at most.
    least_weight: modes that a smaller share of the rows belongs to are left out.
    """

    table: Table = Table(known_share=0.0)  # no cells are known beforehand: G has a condition of its own
    most_modes: int = 10
    least_weight: float = 0.005

    def __post_init__(self) -> None:
        require(1 <= self.most_modes <= 100, "most_modes", self.most_modes, "from 1 to 100")
        require(0 <= self.least_weight < 1, "least_weight", self.least_weight, "0 or more, below 1")

    @property
    def suffixes(self) -> tuple[str, ...]:
        return self.table.suffixes

    def fit(self, items: Items) -> "ModesCodec":
        """The codec. Raises GanvasError as `Table` does, or if scikit-learn is missing."""
        return self.fit_with_reasons(items)[0]

    def fit_with_reasons(self, items: Items) -> "tuple[ModesCodec, list[str]]":
        """`fit`, and a sentence for each column."""
        base, reasons = self.table.fit_with_reasons(items)
        numbers = [number for _, number in list_number_columns(base.columns)]
        mixtures = tuple(fit_modes(spread_numbers(number), self.most_modes, self.least_weight) for number in numbers)
        counts = [f"{number.name} {len(mixture.means)}" for number, mixture in zip(numbers, mixtures, strict=True)]
        sentence = [f"modes of numbers: {', '.join(counts[:20])}{', …' if len(counts) > 20 else ''}"] if counts else []
        return ModesCodec(base=base, mixtures=mixtures, rows=len(items)), [*reasons, *sentence]
