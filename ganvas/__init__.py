"""ganvas: train, measure, diagnose and use generative adversarial networks.

import ganvas
run = ganvas.train("dcgan", data="photos/", minutes=30)
images = run.generate(64, seed=0)          # uint8 [64, H, W, C]
"""

from typing import TYPE_CHECKING, Any

from .errors import GanvasError
from .version import __version__

if TYPE_CHECKING:
    from .api import compare, evaluate, load, resume, train
    from .converting import convert
    from .exporting import export
    from .using import directions, interpolate, mix, nearest, project, synthesise

__all__ = [
    "GanvasError",
    "compare",
    "convert",
    "directions",
    "evaluate",
    "export",
    "interpolate",
    "load",
    "mix",
    "nearest",
    "project",
    "resume",
    "synthesise",
    "train",
]


def __getattr__(name: str) -> Any:
    """`train`, `load`, … import torch, so they are looked up when first used: `ganvas --help` needs none of it."""
    if name in __all__:
        from . import api, converting, exporting, using

        return next(getattr(module, name) for module in (api, using, converting, exporting) if hasattr(module, name))
    raise AttributeError(f"module 'ganvas' has no attribute {name!r}")
