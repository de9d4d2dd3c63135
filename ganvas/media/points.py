"""Points of a few dimensions, as in the toy distributions of the literature (rings and grids of Gaussians)."""

import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from PIL.Image import Image as Picture
from torch import Tensor

from ..configuration import config
from ..core import Field, Items, Spec
from ..errors import GanvasError
from ..system.files import explain_os_errors, write_bytes

FIT_SAMPLE_POINTS = 4096  # items that `fit` looks at: random, but always the same
PREVIEW_SIDE_PIXELS, DOT_RADIUS_PIXELS, PREVIEW_SUPERSAMPLING = (
    480,
    1.5,
    2,
)  # a preview's side and a dot's radius in pixels; drawn at twice that, then shrunk
DOT_COLOUR, GRID_COLOUR, AXIS_COLOUR = (31, 90, 160), (232, 232, 232), (170, 170, 170)


@config
class PointsCodec:
    """Rows of `dim` numbers, stored as float32 and used as they are."""

    dim: int
    extent: float = 1.5  # previews show [-extent, extent] in both directions, so that they can be compared

    @property
    def medium(self) -> str:
        return "points"

    @property
    def noun(self) -> str:
        return "points"

    @property
    def is_visual(self) -> bool:
        return False

    def protocol(self) -> Mapping[str, str]:
        return {}

    @property
    def preview_count(self) -> int:
        return 2500

    @property
    def spec(self) -> Spec:
        return Spec((self.dim,), (Field("point", self.dim, "continuous"),), {})

    def encode(self, item: bytes | np.ndarray) -> np.ndarray:
        """A row of `dim` finite numbers as float32 [dim]. Raises GanvasError with the reason."""
        row = check_row(item, self.dim)
        point = row.astype(np.float32)
        if not np.isfinite(point).all():
            raise GanvasError(f"is not finite: {', '.join(str(v) for v in row)}")
        return point

    def encode_all(self, array: np.ndarray) -> np.ndarray | None:
        """`encode` for all rows of [N, dim] at once; None if it would refuse any row."""
        if array.shape[1:] != (self.dim,) or array.dtype.kind not in "fiu":
            return None
        points = array.astype(np.float32, copy=False)
        return points if np.isfinite(points).all() else None

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        """float32 [N, dim], unchanged."""
        return stored.to(torch.float32)

    def store(self, x: Tensor) -> Tensor:
        """[N, dim] as float32 on the CPU."""
        return x.detach().to(torch.float32).cpu()

    def preview(self, stored: Tensor) -> Picture:
        """A scatter plot, 480 x 480 px, of the first two coordinates of [N, dim]."""
        side, half = PREVIEW_SIDE_PIXELS * PREVIEW_SUPERSAMPLING, PREVIEW_SIDE_PIXELS * PREVIEW_SUPERSAMPLING / 2
        picture = Image.new("RGB", (side, side), "white")
        canvas = ImageDraw.Draw(picture)
        for step in range(-2, 3):
            line_position = half * (1 + step / 2.5)
            canvas.line(
                (line_position, 0, line_position, side), AXIS_COLOUR if step == 0 else GRID_COLOUR, PREVIEW_SUPERSAMPLING
            )
            canvas.line(
                (0, line_position, side, line_position), AXIS_COLOUR if step == 0 else GRID_COLOUR, PREVIEW_SUPERSAMPLING
            )
        points = stored.cpu().numpy().astype(np.float64)
        plane = np.pad(points[:, :2], ((0, 0), (0, max(0, 2 - self.dim)))) * (1.0, -1.0)  # pixels count downwards
        pixels = half * (1 + plane / self.extent)
        is_inside = np.isfinite(pixels).all(1) & (np.abs(pixels - half) <= half).all(1)
        radius = DOT_RADIUS_PIXELS * PREVIEW_SUPERSAMPLING
        for x, y in pixels[is_inside].tolist():
            canvas.ellipse((x - radius, y - radius, x + radius, y + radius), DOT_COLOUR)
        return picture.resize((PREVIEW_SIDE_PIXELS, PREVIEW_SIDE_PIXELS), Image.Resampling.BOX)

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        """Write [N, dim] to samples.csv under x0,x1,…, at its end if `start` > 0; `metadata` goes to PROVENANCE.json."""
        rows = io.StringIO()
        np.savetxt(rows, stored.cpu().numpy(), fmt="%.9g", delimiter=",")  # nine digits restore a float32
        path = folder / "samples.csv"
        if start == 0:
            write_bytes(folder / "PROVENANCE.json", json.dumps(dict(metadata), indent=2).encode())
            header = ",".join(f"x{i}" for i in range(self.dim)) + "\n"
            return [write_bytes(path, (header + rows.getvalue()).encode())]
        with explain_os_errors("writing", path), path.open("a", encoding="utf-8") as file:
            file.write(rows.getvalue())
        return [path]


@config
class Points:
    """Points in a space of `dim` dimensions, from a source of rows."""

    dim: int = 2

    @property
    def suffixes(self) -> tuple[str, ...]:
        return ()  # a point is a row, not a file

    def fit(self, items: Items) -> PointsCodec:
        """The codec; its previews reach 1.5 times as far as the data. Raises GanvasError for items that are not such rows."""
        sample = np.random.default_rng(0).permutation(len(items))[:FIT_SAMPLE_POINTS].tolist()
        try:
            rows = np.stack([check_row(items[i], self.dim) for i in sample]).astype(np.float64)
        except GanvasError as error:
            raise GanvasError(f"a sample of {items.title} {error}") from error
        reach = float(np.abs(rows[np.isfinite(rows)]).max(initial=0.0))
        return PointsCodec(dim=self.dim, extent=1.5 * reach or 1.5)


def check_row(item: bytes | np.ndarray, dim: int) -> np.ndarray:
    """The item, if it is a row of `dim` numbers; else raises GanvasError."""
    if not isinstance(item, np.ndarray):
        raise GanvasError("is a file, not a row of numbers: give one .csv, .npy or .npz file that holds all points")
    if item.dtype.kind not in "fiu" or item.ndim != 1:
        raise GanvasError(f"is an array of shape {item.shape} and type {item.dtype}, not a row of numbers")
    if len(item) != dim:
        raise GanvasError(f"has {len(item)} numbers, not {dim}: set `dim` of Points to {len(item)} to train on them")
    return item
