"""Where samples come from: files of many kinds, synthetic mixtures; and encoded sets with deterministic batches."""

from ..system.files import cache_folder
from .dataset import Tensors, prepare
from .files import Files
from .items import Listed
from .mixture import Mixture

__all__ = ["Files", "Listed", "Mixture", "Tensors", "cache_folder", "prepare"]
