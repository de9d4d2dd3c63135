"""Where the parts of a sample lie in x, read from the fields of a spec."""

from dataclasses import dataclass

from torch import Tensor

from ...core import Field, Spec
from ...errors import GanvasError

KNOWN = "known"  # the condition: the known parts of x, and marks
PICTURE_AXES = 3
WORD_SCALE = 3.0  # of words beside features, whose penalties go three times as far as those on pixels


@dataclass(frozen=True)
class PartLayout:
    """x [N, F]: a picture of this shape if there is one, then the fields of a row, then a sentence."""

    picture: tuple[int, ...]  # channels, height, width; (): there is none
    row_fields: tuple[Field, ...]
    sentence: int  # how many numbers
    mark_places: tuple[int, ...]  # the first place in x of each field
    has_known: bool

    @property
    def picture_size(self) -> int:
        return self.picture[0] * self.picture[1] * self.picture[2] if self.picture else 0

    @property
    def row(self) -> int:
        """How many numbers a row has."""
        return sum(field.size for field in self.row_fields)

    @property
    def words(self) -> int:
        """How many numbers all besides the picture has."""
        return self.row + self.sentence

    @property
    def mark_count(self) -> int:
        """How many marks of known fields networks see."""
        return len(self.mark_places) if self.has_known else 0

    def list_starts(self, size: int) -> list[int]:
        """Where the one-hots of so many values begin among the words."""
        starts = [sum(field.size for field in self.row_fields[:k]) for k in range(len(self.row_fields))]
        pairs = zip(self.row_fields, starts, strict=True)
        return [start for field, start in pairs if field.kind == "categorical" and field.size == size]

    @property
    def row_spec(self) -> Spec:
        return Spec((self.row,), self.row_fields, {})

    def cut_picture(self, x: Tensor) -> Tensor:
        """x [N, F] -> [N, C, H, W]."""
        return x[:, : self.picture_size].unflatten(1, self.picture)

    def cut_words(self, x: Tensor) -> Tensor:
        """x [N, F] -> all besides the picture, [N, words]."""
        return x[:, self.picture_size :]

    def read_marks(self, known: Tensor | None, x: Tensor) -> Tensor:
        """Which fields are known, [N, marks], from the condition [N, 2, F]."""
        if known is None or not self.has_known:
            return x.new_zeros(len(x), self.mark_count)
        return known[:, 1, list(self.mark_places)].to(x.dtype)


def read_part_layout(spec: Spec) -> PartLayout:
    """The layout of samples in parts. Raises GanvasError for other samples, or parts in another order."""
    shapes = [field.shape for field in spec.fields]
    pictures = [shape for shape in shapes if len(shape) == PICTURE_AXES]
    row_fields = tuple(field for field in spec.fields if not field.shape)
    sentences = [field.size for field in spec.fields if len(field.shape) == 1]
    expected = [*pictures, *(field.shape for field in row_fields), *((size,) for size in sentences)]
    if len(spec.shape) != 1 or shapes != expected or len(pictures) > 1 or len(sentences) > 1 or not shapes:
        raise GanvasError(
            f"these networks make several things at once, and a sample here has shape {spec.shape}: choose another recipe "
            "(ganvas recipes)"
        )
    starts = [sum(field.size for field in spec.fields[:k]) for k in range(len(spec.fields))]
    return PartLayout(
        picture=pictures[0] if pictures else (),
        row_fields=row_fields,
        sentence=sum(sentences),
        mark_places=tuple(starts),
        has_known=KNOWN in spec.conditions,
    )
