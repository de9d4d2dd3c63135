"""The columns of tables, for scores that compare rows."""

from torch import Tensor

from ..configuration import config
from ..core import Codec, Features, PlainTableCodec
from ..errors import GanvasError


@config
class ColumnValues:
    """The values of rows, float64 [N, C]: numbers and codes of categories."""

    codec: Codec | None = None  # of the rows; a score card fills it in

    @property
    def word(self) -> str:
        return "columns"

    @property
    def media(self) -> tuple[str, ...]:
        return ("table",)

    @property
    def name(self) -> str:
        return "columns"

    def fit_to_codec(self, codec: Codec) -> "ColumnValues":
        return ColumnValues(codec=codec)

    def __call__(self, stored: Tensor) -> Features:
        """Raises GanvasError for samples that are no rows of a table."""
        if not isinstance(self.codec, PlainTableCodec):
            raise GanvasError("columns: samples of this kind have none: score rows of a table, or take another extractor")
        return Features(self.codec.read_plain_table(stored).list_features())
