"""Labelled sets of generated samples, to train other models with. They say of themselves that they are synthetic."""

import re
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from ..core import Asked, key
from ..errors import GanvasError
from ..provenance import write_note
from ..runs.folder import Run
from ..system.files import explained
from .generator import Generator, makes_classes, opened
from .stream import stream

MOST = 10_000_000  # samples a class


def write_set(made: Generator, per_class: int, seed: int, out: Path) -> Path:
    """A folder with one of its own for each class, each of `per_class` samples; PROVENANCE.json says what they are.

    Raises:
        GanvasError: a generator that makes samples without classes, a folder that is in use or cannot be written.
    """
    spec = made.run.spec()
    if not makes_classes(made.nets, spec):
        raise GanvasError("this run makes samples without classes, and a labelled set needs them: train on folders or labels")
    if not 1 <= per_class <= MOST:
        raise GanvasError(f"samples a class are from 1 to {MOST:,}, got {per_class}: --per-class 100")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise GanvasError(f"{out} holds something already: choose a new folder with --out")
    label = spec.conditions["label"]
    with explained("writing the set", out):
        out.mkdir(parents=True, exist_ok=True)
        words = made.note(seed)
        write_note(out, words | {"Set": "not finished: fewer samples than were asked for"})
        with tqdm(total=per_class * label.size, unit="sample", disable=None, delay=2) as bar:
            for k, folder in enumerate(folders(label.names or tuple(map(str, range(label.size))))):
                written = 0
                for block in of_class(made, k, per_class, seed):
                    made.codec.write(block, out / folder, written, words | {"Label": label.names[k] if label.names else str(k)})
                    written += len(block)
                    bar.update(len(block))
        write_note(out, words | {"Set": f"{per_class} synthetic samples of each of {label.size} classes"})
    return out


def of_class(made: Generator, k: int, count: int, seed: int) -> Iterator[Tensor]:
    """`count` samples of a class, whose latents no other class has."""
    asked = Asked(torch.tensor(k), made.asked.truncation)
    return stream(made.method, made.nets, made.codec, count, key(seed, "class", k), asked=asked)


def folders(names: tuple[str, ...]) -> list[str]:
    """A folder's name for each class, which differ and hold no other character than folders may."""
    found: list[str] = []
    for k, name in enumerate(names):
        plain = re.sub(r"[^\w .+-]", "_", name).strip(" .") or "class"
        while plain.casefold() in {other.casefold() for other in found}:
            plain = f"{plain}_{k}"
        found.append(plain)
    return found


def synthesise(
    run: str | Path | Run,
    *,
    per_class: int = 100,
    seed: int = 0,
    out: str | Path | None = None,
    truncation: float | None = None,
    checkpoint: str = "best",
    device: str = "auto",
) -> Path:
    """`ganvas augment`: a labelled set of samples to train other models with, in RUN/synthetic or `out`, marked as synthetic.

    Raises:
        GanvasError: no run, one without classes, a folder that is in use or cannot be written.
    """
    made = opened(run, checkpoint, device, truncation=truncation)
    return write_set(made, per_class, seed, Path(out) if out is not None else made.run.path / "synthetic")
