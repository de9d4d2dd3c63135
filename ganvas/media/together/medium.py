"""The medium of several things at once: it fits a codec for each part."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from ...configuration import config
from ...core import Items
from ...errors import GanvasError, require
from ...text import MiniLM, TextEncoder
from ..image.codec import ImageCodec
from ..image.medium import Image
from ..image.picture import PICTURE_SUFFIXES
from ..table import CategoryColumn, Table, TableCodec
from ..table.columns import ColumnCodec
from .codec import IMAGE, TABLE, TogetherCodec
from .sentences import fit_sentences

CLASS = "class"


@runtime_checkable
class ColumnwiseItems(Protocol):
    """Items that are mappings by column: a picture, and what is said of it."""

    column_names: tuple[str, ...]  # "image", "class", "hair"

    @property
    def pictures(self) -> Items | None:
        """The column "image" by itself; None if there is none."""
        ...

    @property
    def rows(self) -> Items | None:
        """The columns of the table by themselves (core.TableItems); None if there are none."""
        ...

    @property
    def captions(self) -> Sequence[str]:
        """The column "caption"; () without it."""
        ...

    @property
    def class_names(self) -> tuple[str, ...]:
        """The values of the column "class" in the order of their numbers; () without it."""
        ...


@config
class Together:
    """Pictures together with the columns that describe them, made from one latent.

    image, attributes: the media of the picture and of the columns.
    encoder: reads captions.
    sentence_size: so many numbers describe a caption.
    known_share: the share of training samples in which some columns are known. G learns from them to add the others.
    """

    image: Image = Image(depth=8)
    attributes: Table = Table(k=1, dependences=False, known_share=0.0)
    encoder: TextEncoder = MiniLM()
    sentence_size: int = 64
    known_share: float = 0.3

    def __post_init__(self) -> None:
        require(0 <= self.known_share <= 1, "known_share", self.known_share, "from 0 to 1")
        require(1 <= self.sentence_size <= 4096, "sentence_size", self.sentence_size, "from 1 to 4096")
        require(self.image.depth in (None, 8), "image.depth", self.image.depth, "8 bits")

    @property
    def suffixes(self) -> tuple[str, ...]:
        return PICTURE_SUFFIXES

    def fit(self, items: Items) -> TogetherCodec:
        """The codec. Raises GanvasError for items without columns, or columns that cannot be learnt."""
        return self.fit_with_reasons(items)[0]

    def fit_with_reasons(self, items: Items) -> tuple[TogetherCodec, list[str]]:
        """`fit`, and what each part says of its choices."""
        if not isinstance(items, ColumnwiseItems):
            raise GanvasError(f"{items.title} gives samples without columns: name them, such as image,class")
        image, reasons = self._fit_picture(items)
        table, sentences = self._fit_table(items)
        caption = fit_sentences(self.encoder, items.captions, self.sentence_size) if items.captions else None
        codec = TogetherCodec(image=image, table=table, caption=caption, known_share=self.known_share)
        return codec, [*(f"{IMAGE}: {reason}" for reason in reasons), *sentences]

    def _fit_picture(self, items: ColumnwiseItems) -> tuple[ImageCodec | None, list[str]]:
        if items.pictures is None:
            return None, []
        return replace(self.image, depth=8).fit_with_reasons(items.pictures)

    def _fit_table(self, items: ColumnwiseItems) -> tuple[TableCodec | None, list[str]]:
        if items.rows is None:
            return None, []
        if TABLE in items.column_names:
            raise GanvasError(f"a column is called {TABLE}, which is the name of all columns together: rename it")
        kinds = {**self.attributes.kinds, **({CLASS: "category"} if items.class_names else {})}
        table, sentences = replace(self.attributes, kinds=kinds).fit_with_reasons(items.rows)
        columns = tuple(order_classes(c, items.class_names) if c.name == CLASS else c for c in table.columns)
        return replace(table, columns=columns, known_share=0.0), sentences


def order_classes(column: ColumnCodec, names: tuple[str, ...]) -> ColumnCodec:
    """The column of classes with its values in the order of their numbers, if it holds just these."""
    if not isinstance(column, CategoryColumn) or set(column.values) != set(names):
        return column
    order = [column.values.index(name) for name in names]
    rest = column.shares[len(order) :]
    return replace(column, values=names, shares=(*(column.shares[k] for k in order), *rest))
