"""From a trained generator to samples.

Samples come from the moving average of the weights where the recipe keeps one, in evaluation mode (batch norm uses its
running statistics) and full precision. That is the one way in which ganvas samples.
"""

import collections.abc
import difflib
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from math import isfinite, prod
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from . import checkpoint, loop
from .core import ANY, Asked, Codec, FilesOf, Latents, Method, Nets, Spec, generator
from .device import pick
from .editing import shift
from .errors import GanvasError
from .files import explained, write_whole
from .provenance import note, write_note, write_picture
from .run import Run

T = TypeVar("T")
STANDING = 16  # blocks that batch norm's statistics are taken of anew, where latents are truncated
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
BLOCK = 64  # latents are drawn in blocks of this size, so that sample i does not depend on how many are asked for
PIXELS = BLOCK * 128**2  # rendered at once at most, so that memory does not grow with the image
LONGEST = 500  # letters of seeds in a note


@contextmanager
def evaluating(nets: Nets) -> collections.abc.Generator[None]:
    """Evaluation mode for a while; training mode is put back as it was."""
    modes = {name: net.training for name, net in nets.items()}
    for net in nets.values():
        net.eval()
    try:
        yield
    finally:
        for name, net in nets.items():
            net.train(modes[name])


def stream(
    method: Method,
    nets: Nets,
    codec: Codec,
    n: int,
    seed: int,
    start: int = 0,
    asked: Asked = ANY,
    edited: Callable[[Latents], Latents] = lambda latents: latents,
) -> Iterator[Tensor]:
    """Samples `start` to `start + n` of a seed in stored form, a block at a time."""
    device = next(next(iter(nets.values())).parameters()).device
    with evaluating(nets):
        for block in range(start // BLOCK, -(-(start + n) // BLOCK)):
            first, last = max(0, start - block * BLOCK), min(BLOCK, start + n - block * BLOCK)
            with torch.inference_mode():
                latents = method.latents(nets, BLOCK, generator(seed, "sample", block), asked)
                latents = edited({name: value.to(device) for name, value in latents.items()})
                stored = [
                    codec.store(method.render(nets, part))[max(0, first - k) : last - k]
                    for k, part in parts(latents, codec.spec.shape)
                    if first < k + len(next(iter(part.values()))) and k < last
                ]
            yield torch.cat(stored)


def parts(latents: Latents, shape: tuple[int, ...]) -> Iterator[tuple[int, Latents]]:
    """Latents in parts that are rendered at once, and where each begins: of samples of this shape always parts of one size."""
    size = max(1, min(BLOCK, PIXELS // prod(shape[1:])))
    for k in range(0, len(next(iter(latents.values()))), size):
        yield k, {name: value[k : k + size] for name, value in latents.items()}


def sample(method: Method, nets: Nets, codec: Codec, n: int, seed: int) -> Tensor:
    """`n` samples of a seed in stored form, [n, …]."""
    return torch.cat(list(stream(method, nets, codec, n, seed)))


def standing(method: Method, nets: Nets, truncation: float) -> Nets:
    """The networks with batch norm's statistics taken anew, of truncated samples.

    Running statistics are those of whole latents; truncated ones have others (Brock et al. 2019, appendix D). Labels come as
    in training, whatever will be asked for: statistics of one class alone would take that class out again. Networks without
    batch norm come back as they are.
    """
    found = nets["G"].modules() if "G" in nets else ()
    if not any(isinstance(module, BATCH_NORMS) for module in found):
        return nets
    nets = deepcopy(nets)
    norms = [module for module in nets["G"].modules() if isinstance(module, BATCH_NORMS)]
    device = next(nets["G"].parameters()).device
    with evaluating(nets):
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean of all batches
            norm.train()
        for block in range(STANDING):
            with torch.inference_mode():
                latents = method.latents(nets, BLOCK, generator("standing", block), Asked(truncation=truncation))
                method.render(nets, {name: value.to(device) for name, value in latents.items()})
    return nets


class Generator:
    """A run's trained generator, ready to sample.

    Args:
        which: the checkpoint: "best", "last", or images seen.
        label: a class's name or number, or a vector's numbers with commas; None: as they come in the data.
        truncation: fewer kinds of samples, each more typical. Latents beyond ± this are drawn anew (uniform ones are scaled);
            styles go this share of their way from the mean.
        edit: how far to go along which of the run's directions (directions.py).

    Raises:
        GanvasError: no such checkpoint, label or direction, or a truncation that is not positive.
    """

    def __init__(
        self,
        run: Run,
        which: str = "best",
        device: str = "auto",
        label: str | None = None,
        truncation: float | None = None,
        edit: Mapping[str, float] | None = None,
    ) -> None:
        if truncation is not None and not 0 < truncation <= 100:
            raise GanvasError(f"a truncation lies above 0, got {truncation}: --truncation 0.7, or leave it out")
        self.run, self.codec, self.method = run, run.codec(), run.recipe.method
        self.folder, spec = run.checkpoint(which), run.spec()
        state = loop.start(run.recipe, spec, run.seed, pick(device))
        checkpoint.load_nets(self.folder, state)
        self.nets, self.label, self.truncation = state.sampled(), label, truncation
        self.asked = Asked(None if label is None else wanted(str(label), spec, self.nets), truncation)
        if truncation is not None:
            self.nets = standing(self.method, self.nets, truncation)
        self.nets.eval()
        self.styled = hasattr(self.nets["G"], "styles")
        self.edit, self.shift = dict(edit or {}), None
        if self.edit:
            self.shift = shift(run.path, self.folder.name, self.edit, next(self.nets["G"].parameters()).device)

    def note(self, seed: int | str) -> dict[str, str]:
        """What is written into each file that can hold words, and beside the others."""
        wishes: dict[str, object] = {"label": self.label, "truncation": self.truncation}
        wishes |= {f"edit {name}": value for name, value in self.edit.items()}
        return note(self.run.recipe.name, self.folder.name, seed, wishes)

    def __call__(self, n: int, seed: int = 0) -> Tensor:
        """`n` samples in stored form."""
        return torch.cat(list(self.stream(n, seed)))

    def stream(self, n: int, seed: int = 0) -> Iterator[Tensor]:
        if not 1 <= n <= 100_000_000:
            raise GanvasError(f"the number of samples must be between 1 and 100,000,000, got {n}: --n 64")
        return stream(self.method, self.nets, self.codec, n, seed, asked=self.asked, edited=self.edited)

    def of_seeds(self, seeds: Sequence[int]) -> Latents:
        """The latents of the first sample of each seed, edited as it is asked."""
        each = [self.method.latents(self.nets, BLOCK, generator(seed, "sample", 0), self.asked) for seed in seeds]
        device = next(self.nets["G"].parameters()).device
        with torch.inference_mode():
            return self.edited({name: torch.cat([latents[name][:1] for latents in each]).to(device) for name in each[0]})

    def rendered(self, latents: Latents) -> Iterator[Tensor]:
        """Samples of latents in stored form, on the CPU, a part at a time."""
        for _, part in parts(latents, self.codec.spec.shape):
            with torch.inference_mode():
                stored = self.codec.store(self.method.render(self.nets, part)).cpu()
            yield stored

    def stream_of(self, seeds: Sequence[int]) -> Iterator[Tensor]:
        """The first sample of each seed in stored form, a block at a time."""
        for k in range(0, len(seeds), BLOCK):
            yield from self.rendered(self.of_seeds(seeds[k : k + BLOCK]))

    def coded(self, latents: Latents) -> Latents:
        """The latents in the space where steps are even: styles, "ws" [N, layers, w_dim], where there are any; else "z"."""
        return {"ws": self.nets["G"].styles(**latents)} if self.styled and "ws" not in latents else latents  # type: ignore[operator]

    def edited(self, latents: Latents) -> Latents:
        """The latents, gone along the directions that were asked for."""
        if self.shift is None:
            return latents
        found, name = self.coded(latents), "ws" if self.styled else "z"
        return {**found, name: found[name] + self.shift}


def makes_classes(nets: Nets, spec: Spec) -> bool:
    """Whether the networks make samples of a class."""
    label = spec.conditions.get("label")
    return label is not None and label.kind == "class" and bool(getattr(nets["G"], "conditional", False))


def wanted(label: str, spec: Spec, nets: Nets) -> Tensor:
    """The label that someone calls so. Raises GanvasError where there is no such one, or the networks take none."""
    condition = spec.conditions.get("label")
    if condition is None or not getattr(nets["G"], "conditional", False):
        raise GanvasError("this run makes samples without labels: leave out --label")
    if condition.kind == "class":
        exact = [k for k, name in enumerate(condition.names) if name == label]
        alike = exact or [k for k, name in enumerate(condition.names) if name.casefold() == label.casefold()]
        if len(alike) == 1:
            return torch.tensor(alike[0])
        numbered = not any(name.isdecimal() for name in condition.names)  # else a number is a name
        if numbered and label.isdecimal() and int(label) < condition.size:
            return torch.tensor(int(label))
        near = difflib.get_close_matches(label, condition.names, n=3, cutoff=0.4) or condition.names[:5]
        raise GanvasError(f"there is no class {label!r} among {condition.size}: --label {' or '.join(near) or 0}")
    try:
        values = [float(value) for value in label.split(",")]
    except ValueError:
        values = []
    if len(values) != condition.size or not all(map(isfinite, values)):
        columns = ", ".join(condition.names) or f"{condition.size} numbers"
        raise GanvasError(f"a label of this run is {columns}, got {label!r}: --label {','.join(['0'] * condition.size)}")
    return torch.tensor(values)


def opened(
    run: str | Path | Run,
    checkpoint: str = "best",
    device: str = "auto",
    label: str | None = None,
    truncation: float | None = None,
    edit: Mapping[str, float] | None = None,
) -> Generator:
    return Generator(run if isinstance(run, Run) else Run(run), checkpoint, device, label, truncation, edit)


def generate(
    run: str | Path | Run,
    n: int,
    seed: int = 0,
    checkpoint: str = "best",
    device: str = "auto",
    label: str | None = None,
    truncation: float | None = None,
    edit: Mapping[str, float] | None = None,
    seeds: Sequence[int] | None = None,
) -> np.ndarray:
    """`n` samples in stored form, uint8 or uint16 [n, H, W, C] for images. Sample i of a seed is the same whatever n is.

    Args:
        seeds: instead of `n` samples of one seed, the first of each of these.
        label: a class's name or number, or a vector's numbers with commas; None: as they come in the data.
        truncation, edit: see sampling.Generator.
    """
    made = opened(run, checkpoint, device, label, truncation, edit)
    blocks = made.stream(n, seed) if seeds is None else made.stream_of(seeds)
    return np.concatenate([block.cpu().numpy() for block in blocks])


def write_samples(
    generator: Generator,
    n: int,
    seed: int,
    out: Path,
    form: str,
    seeds: Sequence[int] | None = None,
    code: Latents | None = None,
) -> Path:
    """Write samples under the folder `out`, as many as there are, never all in memory; returns what was written.

    Args:
        out: a folder; of a "grid" also the picture itself, a .png.
        form: "files" (one a sample, as the medium has them), "grid" (one picture), "npy" (stored form) or "zip".
        seeds: instead of `n` samples of a seed, the first of each of these.
        code: instead of both, what these latents make.

    Raises:
        GanvasError: another form, or a folder that cannot be written.
    """
    forms = {"files": _files, "npy": _array, "zip": _zip}
    if form not in (*forms, "grid"):
        raise GanvasError(f"there is no format {form!r}: --format files, npy or zip, or --grid")
    blocks, which = generator.stream(n, seed), str(seed)
    if seeds is not None:
        blocks, n, which = generator.stream_of(seeds), len(seeds), spans(seeds)
    if code is not None:
        blocks, n, which = generator.rendered(generator.edited(code)), len(next(iter(code.values()))), "none: a code"
    words = generator.note(which)
    if form == "grid":  # holds its words itself
        return _grid(generator.codec, _progress(blocks, n), n, out, words)
    with explained("writing samples", out):
        out.mkdir(parents=True, exist_ok=True)
        written = forms[form](generator.codec, _progress(blocks, n), n, out, words)
        if form != "files":
            write_note(out, words)  # now: what was there before had another
        return written


def spans(seeds: Sequence[int]) -> str:
    """[0, 1, 2, 3, 7] as "0-3, 7"; where that is long, its beginning: each file is to hold it."""
    found: list[list[int]] = []
    for seed in seeds:
        if found and seed == found[-1][1] + 1:
            found[-1][1] = seed
        else:
            found.append([seed, seed])
    text = ", ".join(f"{first}-{last}" if first < last else str(first) for first, last in found)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _files(codec: Codec, blocks: Iterator[Tensor], n: int, out: Path, words: dict[str, str]) -> Path:
    for _ in _beside(blocks, lambda block, start: codec.write(block, out, start, words)):
        pass
    return out


def _beside(blocks: Iterator[Tensor], work: Callable[[Tensor, int], T]) -> Iterator[T]:
    """What `work` makes of each block and its start, while the next block is made."""
    start, busy = 0, None
    with ThreadPoolExecutor(1) as pool:  # one, for a medium may add to the end of a file
        for block in blocks:
            if busy is not None:
                yield busy.result()
            busy = pool.submit(work, block, start)
            start += len(block)
        if busy is not None:
            yield busy.result()


def _grid(codec: Codec, blocks: Iterator[Tensor], n: int, out: Path, words: dict[str, str]) -> Path:
    if n > 10_000:
        raise GanvasError(f"a picture of {n:,} samples is too large: --n 64, or leave out --grid")
    path = out if out.suffix.lower() == ".png" else out / "grid.png"
    write_picture(codec.preview(torch.cat(list(blocks))), path, words)
    return path


def _array(codec: Codec, blocks: Iterator[Tensor], n: int, out: Path, words: dict[str, str]) -> Path:
    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # not through a memory map: there a full disk kills the process
            for k, block in enumerate(blocks):
                values = np.ascontiguousarray(block.numpy())
                if not k:
                    form = np.lib.format.dtype_to_descr(values.dtype)
                    head = {"descr": form, "fortran_order": False, "shape": (n, *values.shape[1:])}
                    np.lib.format.write_array_header_1_0(file, head)
                file.write(values.data)

    write_whole(out / "samples.npy", write)
    return out / "samples.npy"


def _zip(codec: Codec, blocks: Iterator[Tensor], n: int, out: Path, words: dict[str, str]) -> Path:
    def write(temporary: Path) -> None:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            if isinstance(codec, FilesOf):
                made: FilesOf = codec

                def encoded(block: Tensor, start: int) -> list[tuple[str, bytes]]:
                    return list(made.files(block, start, words))

                for files in _beside(blocks, encoded):
                    for name, data in files:
                        archive.writestr(name, data)
                return
            with tempfile.TemporaryDirectory(dir=out) as folder:
                for path in sorted(_files(codec, blocks, n, Path(folder), words).iterdir()):
                    archive.write(path, path.name)

    write_whole(out / "samples.zip", write)
    return out / "samples.zip"


def _progress(blocks: Iterator[Tensor], n: int) -> Iterator[Tensor]:
    """The same blocks, with a bar where there are enough to wait for."""
    with tqdm(total=n, unit="sample", disable=n < 1000 or not sys.stderr.isatty()) as bar:
        for block in blocks:
            yield block
            bar.update(len(block))
