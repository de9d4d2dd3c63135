"""The public functions of ganvas. `train`, `load` and `resume` return a `Run`.

run = ganvas.train("dcgan", data="photos/", minutes=30)
images = run.generate(64, seed=0)          # uint8 [64, H, W, C]
"""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np

from .configuration import allow_components
from .evaluation.nearest import nearest
from .interop.converting import convert as convert_file
from .interop.exporting import export
from .latent.directions import directions
from .latent.interpolation import interpolate
from .latent.mixing import mix
from .latent.projection import project
from .preference.page import preference_page
from .preference.prefer import prefer
from .report.attack import attack
from .report.compare import compare
from .report.evaluate import evaluate
from .runs.folder import RunFolder as RunFolder
from .sampling.completion import complete
from .sampling.generator import generate
from .sampling.labelled_set import synthesise
from .sampling.rows import Where, rows
from .training.session import resume as resume_training
from .training.session import train as train_recipe
from .translation.blending import blend
from .translation.translating import translate, translate_picture

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

P = ParamSpec("P")


class Run(RunFolder):
    """A trained run's folder, which can also make samples."""

    def generate(self, n: int, seed: int = 0, **settings: Any) -> np.ndarray:
        """`ganvas.generate` of this run."""
        return generate(self, n, seed, **settings)

    def rows(self, n: int, where: Where = (), seed: int = 0, **settings: Any) -> Any:
        """`ganvas.rows` of this run: a pyarrow.Table."""
        return rows(self, n, where, seed, **settings)

    def complete(self, partial: Any, seed: int = 0, **settings: Any) -> Any:
        """`ganvas.complete` of this run: a pyarrow.Table."""
        return complete(self, partial, seed, **settings)

    def attack(self, held_out: Any = None, **settings: Any) -> dict[str, Any]:
        """`ganvas.attack` of this run: a card."""
        return attack(self, held_out, **settings)

    def translate(self, image: "str | Path | Picture | np.ndarray", **settings: Any) -> np.ndarray:
        """One picture by this run's translator: an array of the picture's size, times the scale, and depth."""
        return translate_picture(self, image, **settings)


def return_run(verb: Callable[P, RunFolder]) -> Callable[P, Run]:
    """The same function, but it returns a `Run` instead of a RunFolder."""

    @wraps(verb)
    def call(*args: P.args, **kwargs: P.kwargs) -> Run:
        return Run(verb(*args, **kwargs).path)

    return call


def load(path: str | Path, *, components: Iterable[str] = ()) -> Run:
    """Open a trained run.

    Args:
        components: modules or packages other than ganvas whose components (losses, networks, …) this run may use.

    Raises:
        GanvasError: no run at `path`, or a run with components that are not allowed.
    """
    allow_components(components)
    return Run(path)


convert, train, resume = return_run(convert_file), return_run(train_recipe), return_run(resume_training)

__all__ = [
    "Run",
    "attack",
    "blend",
    "compare",
    "complete",
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
