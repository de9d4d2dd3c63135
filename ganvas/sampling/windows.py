"""Series longer than a window, generated window by window: each one knows what those before it have left of its rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..core import Codec, DerivingCodec, Latents, Method, Nets, seeded_generator
from ..errors import GanvasError, require
from ..media import SeriesCodec
from ..media.table.cells import CELLS
from ..runs.folder import RunFolder
from ..system.device import get_device
from .generator import Sampler, open_sampler
from .stream import SAMPLES_PER_BLOCK, split_for_rendering, use_evaluation_mode

MAX_STEPS = 1_000_000
MAX_CELLS = 2**22  # of the series that are made at once, so that memory does not grow with their length


def read_series_codec(run: RunFolder) -> SeriesCodec | None:
    """The codec of a run's stored windows; None if its samples are something else."""
    codec = run.read_codec()
    base = codec.base if isinstance(codec, DerivingCodec) else codec
    return base if isinstance(base, SeriesCodec) else None


def can_fill_windows(method: Method, nets: Nets, codec: Codec) -> bool:
    """Whether these networks make windows of series, and have learnt to complete them."""
    return isinstance(codec, SeriesCodec) and CELLS in method.traits(nets).conditions


@dataclass(frozen=True)
class WindowFiller:
    """Fills the gaps of windows by networks that can (`can_fill_windows`)."""

    method: Method
    nets: Nets
    codec: SeriesCodec

    def fill(self, codes: Tensor, is_known: Tensor, generator: torch.Generator) -> Tensor:
        """Codes int64 [N, T, C], of which those that are known stay as they are: bool [N, T, C]."""
        device = get_device(self.nets)
        latents: Latents = self.method.draw_latents(self.nets, len(codes), generator)
        latents = {**latents, CELLS: self.codec.load_cells(codes, is_known, generator)}
        with use_evaluation_mode(self.nets), torch.inference_mode():
            parts = split_for_rendering({name: value.to(device) for name, value in latents.items()}, self.codec.spec)
            stored = torch.cat([self.codec.store(self.method.render(self.nets, part)) for _, part in parts])
        return torch.where(is_known, codes, stored.long())


def build_filler(sampler: Sampler) -> WindowFiller:
    """What fills windows by a run. Raises GanvasError for a run that has not learnt it."""
    codec = sampler.codec
    if not isinstance(codec, SeriesCodec) or not can_fill_windows(sampler.method, sampler.nets, codec):
        raise GanvasError(
            f"{sampler.run.path} has not learnt to complete windows, so it cannot join them either: train the recipe series, "
            "with a known_share above 0"
        )
    return WindowFiller(sampler.method, sampler.nets, codec)


def stream_long_series(filler: WindowFiller, n: int, steps: int, seed: int = 0, overlap: int | None = None) -> Iterator[Tensor]:
    """`n` series of so many steps, a block at a time: uint16 [N, steps, C]. Series i of a seed does not depend on n.

    Args:
        overlap: so many steps of each window are the last ones of the window before it. None: half a window.

    Raises:
        GanvasError: numbers that are not positive, or an overlap that is no part of a window.
    """
    window = filler.codec.window
    require(1 <= steps <= MAX_STEPS, "steps", steps, f"1 to {MAX_STEPS:,}")
    require(1 <= n <= 100_000_000, "n", n, "1 to 100,000,000")
    overlap = window // 2 if overlap is None else overlap
    require(1 <= overlap < window, "overlap", overlap, f"1 to {window - 1}, a part of a window of {window} steps")
    columns = len(filler.codec.cells.columns)
    size = max(1, min(SAMPLES_PER_BLOCK, MAX_CELLS // (steps * columns)))  # n does not decide it
    for block in range(-(-n // size)):
        yield _join_windows(filler, size, steps, overlap, (seed, "long", block))[: n - block * size].to(torch.uint16)


def _join_windows(filler: WindowFiller, n: int, steps: int, overlap: int, key: tuple[int, str, int]) -> Tensor:
    """Codes int32 [n, steps, C]. Statics stay those of the first window, and no series ends."""
    codec, window = filler.codec, filler.codec.window
    starts = range(0, max(1, steps - overlap), window - overlap)
    codes = torch.zeros(n, starts[-1] + window, len(codec.cells.columns), dtype=torch.int32)
    is_known = torch.zeros(n, window, codes.shape[2], dtype=torch.bool)
    is_known[..., codec.is_end] = True  # and its code is 0: alive
    for k, start in enumerate(starts):
        part = codes[:, start : start + window].long()
        if k:
            is_known[:, :overlap] = True
            is_known[..., codec.is_static] = True
            part = torch.where(codec.is_static, codes[:, :1].long(), part)
        codes[:, start : start + window] = filler.fill(part, is_known, seeded_generator(*key, k)).to(torch.int32)
    return codes[:, :steps]


def open_series_sampler(run: RunFolder, checkpoint: str = "best", device: str = "auto") -> Sampler:
    """A run's sampler. Raises GanvasError for a run that makes no series."""
    if read_series_codec(run) is None:
        raise GanvasError(f"{run.path} makes {run.read_codec().noun}, not series: leave out the steps")
    return open_sampler(run, checkpoint, device)


def stream_series_tables(filler: WindowFiller, n: int, steps: int, seed: int = 0) -> Iterator[Any]:
    """`n` series of so many steps as pyarrow.Tables, whole series in each. Series i of a seed does not depend on n."""
    start = 0
    for codes in stream_long_series(filler, n, steps, seed):
        yield filler.codec.decode(codes, seed, start)
        start += len(codes)
