"""Where samples come from: files of many kinds, synthetic mixtures; and encoded sets with deterministic batches."""

from ..system.files import find_cache_folder
from .dataset import EncodedDataset, prepare_dataset
from .files import Files
from .items import ItemList
from .mixture import Mixture

__all__ = ["EncodedDataset", "Files", "ItemList", "Mixture", "find_cache_folder", "prepare_dataset"]
