"""Where samples come from: files of many kinds, synthetic mixtures; and encoded sets with deterministic batches."""

from ..system.files import find_cache_folder
from .attributes import Attribute
from .captioned import Captioned
from .columns import Columns, ColumnsCodec
from .conditions import ClassCondition, VectorCondition
from .dataset import EncodedDataset, prepare_dataset
from .files import Files
from .held_out import HeldOut
from .items import ItemList
from .lines import Lines
from .mixture import Mixture
from .pairs import Pairs
from .rows_source import Rows
from .samplers import Balanced, Poisson, Uniform
from .tables import TableRows, read_frame
from .tasks import Task, recognise_task
from .tiles import Tiles
from .unpaired import Unpaired
from .weighted import Weighted
from .windows_source import Windows

__all__ = [
    "Attribute",
    "Balanced",
    "Captioned",
    "ClassCondition",
    "Columns",
    "ColumnsCodec",
    "EncodedDataset",
    "Files",
    "HeldOut",
    "ItemList",
    "Lines",
    "Mixture",
    "Pairs",
    "Poisson",
    "Rows",
    "TableRows",
    "Task",
    "Tiles",
    "Uniform",
    "Unpaired",
    "VectorCondition",
    "Weighted",
    "Windows",
    "find_cache_folder",
    "prepare_dataset",
    "read_frame",
    "recognise_task",
]
