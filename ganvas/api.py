"""The public verbs, each from its own place; `Run` is what `train`, `load` and `resume` give back.

run = ganvas.train("dcgan", data="photos/", minutes=30)
images = run.generate(64, seed=0)          # uint8 [64, H, W, C]
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import numpy as np

from .evaluation.nearest import nearest
from .interop.converting import convert as convert_file
from .interop.exporting import export
from .latent.directions import directions
from .latent.interpolation import interpolate
from .latent.mixing import mix
from .latent.projection import project
from .report.compare import compare
from .report.evaluate import evaluate
from .runs.folder import RunFolder as RunFolder
from .sampling.generator import generate
from .sampling.labelled_set import synthesise
from .training.session import resume as resume_training
from .training.session import train as train_recipe

P = ParamSpec("P")


class Run(RunFolder):
    """A trained run: its folder, and samples of it."""

    def generate(self, n: int, seed: int = 0, **settings: Any) -> np.ndarray:
        """`ganvas.generate` of this run."""
        return generate(self, n, seed, **settings)


def return_run(verb: Callable[P, RunFolder]) -> Callable[P, Run]:
    """The verb, whose folder can be sampled from."""

    @wraps(verb)
    def call(*args: P.args, **kwargs: P.kwargs) -> Run:
        return Run(verb(*args, **kwargs).path)

    return call


convert, train, resume, load = return_run(convert_file), return_run(train_recipe), return_run(resume_training), Run

__all__ = [
    "Run",
    "compare",
    "convert",
    "directions",
    "evaluate",
    "export",
    "generate",
    "interpolate",
    "load",
    "mix",
    "nearest",
    "project",
    "resume",
    "synthesise",
    "train",
]
