"""What a sample is: from files and arrays to what networks see, and back. One file per medium."""

from .conditions import SampleCondition
from .degradations import (
    Blur,
    Boxes,
    Gray,
    Jpeg,
    Noise,
    OneOf,
    Pasted,
    Sinc,
    Smaller,
    Strokes,
    Twice,
    Unchanged,
    parse_degradation,
)
from .degraded import Degraded, DegradedCodec
from .image.codec import RESIZE_FILTER, ImageCodec
from .image.medium import Image
from .label_maps import LabelMap, LabelMapCodec
from .masks import MaskCodec
from .points import Points, PointsCodec
from .series import Series, SeriesCodec, build_plain_series, find_window_rows
from .table import (
    BinColumn,
    CategoryColumn,
    ConstantColumn,
    DateColumn,
    KeyColumn,
    NumberColumn,
    PublicTable,
    Table,
    TableCodec,
    read_bounds,
    write_bounds_template,
    write_table_file,
)

__all__ = [
    "RESIZE_FILTER",
    "BinColumn",
    "Blur",
    "Boxes",
    "CategoryColumn",
    "ConstantColumn",
    "DateColumn",
    "Degraded",
    "DegradedCodec",
    "Gray",
    "Image",
    "ImageCodec",
    "Jpeg",
    "KeyColumn",
    "LabelMap",
    "LabelMapCodec",
    "MaskCodec",
    "Noise",
    "NumberColumn",
    "OneOf",
    "Pasted",
    "Points",
    "PointsCodec",
    "PublicTable",
    "SampleCondition",
    "Series",
    "SeriesCodec",
    "Sinc",
    "Smaller",
    "Strokes",
    "Table",
    "TableCodec",
    "Twice",
    "Unchanged",
    "build_plain_series",
    "find_window_rows",
    "parse_degradation",
    "read_bounds",
    "write_bounds_template",
    "write_table_file",
]
