"""Labelled sets of generated samples, to train other models with. Their files are marked as synthetic."""

import re
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from ..core import Request, seed_from
from ..errors import GanvasError
from ..provenance import write_provenance
from ..runs.folder import RunFolder
from ..system.files import explain_os_errors
from .generator import Sampler, find_class_condition, open_sampler
from .stream import stream_samples

MAX_SAMPLES_PER_CLASS = 10_000_000


def write_labelled_set(sampler: Sampler, per_class: int, seed: int, out: Path) -> Path:
    """Write `per_class` samples of each class into a subfolder of `out`, and PROVENANCE.json to mark them as synthetic.

    Raises:
        GanvasError: a generator without classes, or a folder that is not empty or cannot be written.
    """
    classes = find_class_condition(sampler.spec, sampler.traits)
    if classes is None:
        raise GanvasError(
            "this run makes samples without classes, but a labelled set needs them: train on folders or labels"
            + sampler.advise_translating()
        )
    if not 1 <= per_class <= MAX_SAMPLES_PER_CLASS:
        raise GanvasError(f"samples per class must be from 1 to {MAX_SAMPLES_PER_CLASS:,}, got {per_class}: --per-class 100")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise GanvasError(f"{out} is not empty: choose a new folder with --out")
    name, label = classes
    with explain_os_errors("writing the set", out):
        out.mkdir(parents=True, exist_ok=True)
        metadata = sampler.describe_provenance(seed)
        write_provenance(out, metadata | {"Set": "not finished: fewer samples than requested"})
        with tqdm(total=per_class * label.size, unit="sample", disable=None, delay=2) as bar:
            for k, folder in enumerate(name_class_folders(label.names or tuple(map(str, range(label.size))))):
                written_count = 0
                for block in stream_class_samples(sampler, name, k, per_class, seed):
                    sampler.codec.write(
                        block, out / folder, written_count, metadata | {"Label": label.names[k] if label.names else str(k)}
                    )
                    written_count += len(block)
                    bar.update(len(block))
        write_provenance(out, metadata | {"Set": f"{per_class} synthetic samples of each of {label.size} classes"})
    return out


def stream_class_samples(sampler: Sampler, name: str, k: int, count: int, seed: int) -> Iterator[Tensor]:
    """`count` samples of a class, from latents that no other class uses."""
    request = Request({name: torch.tensor(k)}, sampler.request.truncation)
    return stream_samples(sampler.method, sampler.nets, sampler.codec, count, seed_from(seed, "class", k), request=request)


def name_class_folders(names: tuple[str, ...]) -> list[str]:
    """A folder name for each class; all names differ, also in case, and hold only characters that folder names may hold."""
    folder_names: list[str] = []
    for k, name in enumerate(names):
        folder_name = re.sub(r"[^\w .+-]", "_", name).strip(" .") or "class"
        while folder_name.casefold() in {other.casefold() for other in folder_names}:
            folder_name = f"{folder_name}_{k}"
        folder_names.append(folder_name)
    return folder_names


def synthesise(
    run: str | Path | RunFolder,
    *,
    per_class: int = 100,
    seed: int = 0,
    out: str | Path | None = None,
    truncation: float | None = None,
    checkpoint: str = "best",
    device: str = "auto",
) -> Path:
    """`ganvas augment`: write a labelled set to train other models with, to RUN/synthetic or `out`, marked as synthetic.

    Raises:
        GanvasError: no run, a run without classes, or a folder that is not empty or cannot be written.
    """
    sampler = open_sampler(run, checkpoint, device, truncation=truncation)
    return write_labelled_set(sampler, per_class, seed, Path(out) if out is not None else sampler.run.path / "synthetic")
