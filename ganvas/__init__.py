"""ganvas: train, measure, diagnose and use generative adversarial networks.

import ganvas
run = ganvas.train("dcgan", data="photos/", minutes=30)
images = run.generate(64, seed=0)          # uint8 [64, H, W, C]
"""

from typing import TYPE_CHECKING, Any

from .configuration import config
from .errors import GanvasError
from .version import __version__

if TYPE_CHECKING:
    from .api import (
        Run,
        attack,
        blend,
        compare,
        complete,
        convert,
        directions,
        evaluate,
        export,
        generate,
        interpolate,
        load,
        mix,
        nearest,
        prefer,
        preference_page,
        project,
        resume,
        rows,
        synthesise,
        train,
        translate,
    )

__all__ = [
    "GanvasError",
    "Run",
    "__version__",
    "attack",
    "blend",
    "compare",
    "complete",
    "config",
    "convert",
    "directions",
    "evaluate",
    "export",
    "generate",
    "interpolate",
    "load",
    "mix",
    "nearest",
    "prefer",
    "preference_page",
    "project",
    "resume",
    "rows",
    "synthesise",
    "train",
    "translate",
]


def __getattr__(name: str) -> Any:
    """The verbs import torch, so they are looked up when first used: `ganvas --help` needs none of it."""
    if name in __all__:
        from . import api

        return getattr(api, name)
    raise AttributeError(f"module 'ganvas' has no attribute {name!r}")
