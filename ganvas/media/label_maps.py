"""Maps of labels: pictures whose pixels are classes, such as road, sky and tree. They come as indices or as colours."""

import colorsys
import io
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from ..configuration import config
from ..core import Field, Items, Spec
from ..errors import GanvasError, require
from ..system.files import write_bytes
from .conditions import SampleCondition, derive_sample_condition
from .image.codec import Framing, ImageCodec, frame_nearest
from .image.jitter import MAX_ENLARGEMENT, take_random_parts
from .image.picture import PICTURE_SUFFIXES
from .image.sizes import USUAL_PIXELS, PictureSize, choose_size, parse_size
from .label_files import MAX_CLASSES, LabelKind, MapPalette, describe_value, read_label_values, read_palette

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

FITTED_SIZES = 256  # maps whose sizes decide


@config
class LabelMap:
    """Maps of labels, one class a pixel: palette PNGs, gray indices, or colours.

    size: pixels: 64 is 64x64, and 96x64 is 96 wide and 64 high. Without it, it is chosen as for pictures.
    classes: how many; indices go from 0 to this number less one. Without it, every index or colour in the data is a class.
    palette: path of a table (classes.csv) with a line for each class: its name, and its colour as red,green,blue or #rrggbb.
    flip: mirror left and right at random in training, together with the picture.
    enlarge: in training, enlarge so many times and take a random part of the usual size, together with the picture.
    """

    size: int | str | None = None
    classes: int | None = None
    palette: str | None = None
    framing: Framing = "crop"
    flip: bool = False
    pixels: int = USUAL_PIXELS
    enlarge: float = 1.0

    def __post_init__(self) -> None:
        if self.size is not None:
            object.__setattr__(self, "size", parse_size(self.size).setting)
        require(1 <= self.enlarge <= MAX_ENLARGEMENT, "enlarge", self.enlarge, f"from 1 to {MAX_ENLARGEMENT:g}")
        require(self.classes is None or 2 <= self.classes <= MAX_CLASSES, "classes", self.classes, f"from 2 to {MAX_CLASSES}")
        require(self.classes is None or self.palette is None, "classes", self.classes, "left out beside a palette")

    @property
    def suffixes(self) -> tuple[str, ...]:
        return PICTURE_SUFFIXES

    def fit(self, items: Items) -> "LabelMapCodec":
        """The codec for these maps, all of which it reads.

        Raises:
            GanvasError: a label out of range, a colour beside the palette, indices and colours mixed, or too many labels.
        """
        palette = MapPalette() if self.palette is None else read_palette(Path(self.palette))
        kind, values, sizes = survey_maps(items, "colour" if palette.colours else None)
        known_values = palette.colours or (tuple(range(self.classes)) if self.classes else values)
        check_values(items, known_values, kind)
        size = parse_size(self.size) if self.size is not None else choose_size(sizes, self.pixels).size
        return LabelMapCodec(
            size=size.setting,
            values=known_values,
            kind=kind,
            names=palette.names,
            framing=self.framing,
            flip=self.flip,
            enlarge=self.enlarge,
        )


def survey_maps(items: Items, kind: LabelKind | None) -> tuple[LabelKind, tuple[int, ...], list[tuple[int, int]]]:
    """(how labels are written, all values that occur, sizes of the maps). Raises GanvasError for too many or mixed ones.

    kind: how to read them all; None follows the files.
    """
    all_values, sizes, requested_kind = set[int](), list[tuple[int, int]](), kind
    for index in range(len(items)):
        values, item_kind = _read_item(items, index, requested_kind)
        if kind not in (None, item_kind):
            raise GanvasError(
                f"{items.names[index]} holds labels as {item_kind}, others before it as {kind}: write all maps alike, "
                "or name a palette"
            )
        kind = item_kind
        sizes += [(values.shape[1], values.shape[0])]
        all_values.update(np.unique(values).tolist())
        if len(all_values) > MAX_CLASSES:
            raise GanvasError(
                f"{items.names[index]} brings the labels to more than {MAX_CLASSES} different ones, so these are pictures, or "
                "maps with smoothed edges: save maps of labels as PNG, without smoothing"
            )
    if kind is None:
        raise GanvasError(f"{items.title} is empty: give maps of labels")
    return kind, tuple(sorted(all_values)), sizes[:FITTED_SIZES]


def check_values(items: Items, known_values: Sequence[int], kind: LabelKind) -> None:
    """Raises GanvasError, with the first file and value, if a map has a label that is not known."""
    for index in range(len(items)):
        try:
            number_labels(_read_item(items, index, kind)[0], known_values, kind)
        except GanvasError as error:
            raise GanvasError(f"{items.names[index]} {error}") from None


def number_labels(values: np.ndarray, known_values: Sequence[int], kind: LabelKind) -> np.ndarray:
    """Values [H, W] of a map -> numbers of classes. Raises GanvasError for the first value that is not known."""
    order = np.argsort(known_values)
    sorted_values = np.asarray(known_values)[order]
    places = np.searchsorted(sorted_values, values).clip(0, len(sorted_values) - 1)
    is_unknown = sorted_values[places] != values
    if is_unknown.any():
        value = describe_value(int(values[is_unknown][0]), kind)
        allowed = f"its {len(known_values)} colours" if kind == "colour" else f"0 to {max(known_values)}"
        raise GanvasError(f"has the label {value}, which is not among {allowed}: correct the map, or give more classes")
    return order[places]


def _read_item(items: Items, index: int, kind: LabelKind | None) -> tuple[np.ndarray, LabelKind]:
    try:
        return read_label_values(items[index], kind)
    except GanvasError as error:
        raise GanvasError(f"{items.names[index]} {error}") from None


@config
class LabelMapCodec:
    """Maps of labels: uint8 [N, H, W, 1] as stored, one-hot float [N, K, H, W] for networks.

    values: of each class, as they are written in files: indices, or colours (red * 65536 + green * 256 + blue).
    """

    size: int | str
    values: tuple[int, ...]
    kind: LabelKind = "index"
    names: tuple[str, ...] = ()
    framing: Framing = "crop"
    flip: bool = False
    enlarge: float = 1.0

    @cached_property
    def _frame_size(self) -> PictureSize:
        return parse_size(self.size)

    @property
    def medium(self) -> str:
        return "label map"

    @property
    def noun(self) -> str:
        return "maps of labels"

    @property
    def is_visual(self) -> bool:
        return True

    @property
    def preview_count(self) -> int:
        return 64

    @property
    def spec(self) -> Spec:
        size = self._frame_size
        return Spec((len(self.values), size.height, size.width), (Field("label", len(self.values), "categorical"),), {})

    def protocol(self) -> Mapping[str, str]:
        return {"resize": "nearest"}

    def encode(self, item: bytes | np.ndarray) -> np.ndarray:
        """A file's bytes or an array -> numbers of classes, uint8 [H, W, 1]. Raises GanvasError with the reason."""
        return self.frame(self.read_classes(item))

    def read_classes(self, item: bytes | np.ndarray) -> np.ndarray:
        """A file's bytes or an array -> numbers of classes in its own size, uint8 [H, W, 1]. Raises GanvasError."""
        values, _ = read_label_values(item, self.kind)
        return number_labels(values, self.values, self.kind).astype(np.uint8)[..., None]

    def frame(self, classes: np.ndarray) -> np.ndarray:
        """Numbers of classes, uint8 [H, W, 1], in the codec's size."""
        return frame_nearest(classes[..., 0], self._frame_size, self.framing, fill=0).astype(np.uint8)[..., None]

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        """uint8 [N, H, W, 1] -> one-hot float32 [N, K, H, W], channels last in memory; jittered as pictures are."""
        if self.flip and generator is not None:
            is_mirrored = torch.rand(len(stored), generator=generator).to(stored.device) < 0.5
            stored = torch.where(is_mirrored[:, None, None, None], stored.flip(2), stored)
        if self.enlarge > 1.0 and generator is not None:
            levels = stored.permute(0, 3, 1, 2).to(torch.float32)
            stored = take_random_parts(levels, self.enlarge, generator, "nearest-exact").permute(0, 2, 3, 1)
        one_hot = torch.zeros(*stored.shape[:3], len(self.values), device=stored.device)
        return one_hot.scatter_(3, stored.long(), 1.0).permute(0, 3, 1, 2)

    def store(self, x: Tensor) -> Tensor:
        return x.detach().argmax(1, keepdim=True).to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu()

    def derive_condition(self, stored: Tensor) -> SampleCondition:
        """For a column that others are made from: its maps [N, H, W, 1] as a condition."""
        return derive_sample_condition(self, stored)

    @cached_property
    def colours(self) -> np.ndarray:
        """The colour of each class, uint8 [K, 3]: those of the files, else evenly spaced hues."""
        if self.kind == "colour":
            return np.array([[v >> 16, v >> 8 & 255, v & 255] for v in self.values], np.uint8)
        count = len(self.values)
        hues = [colorsys.hsv_to_rgb(k / count, 1.0 - 0.5 * (k % 2), 1.0 - 0.4 * (k % 3 == 2)) for k in range(count)]
        return (255 * np.array(hues)).round().astype(np.uint8)

    def preview(self, stored: Tensor) -> "Picture":
        painted = torch.from_numpy(self.colours[stored[..., 0].cpu().numpy()])
        return ImageCodec(size=self.size).preview(painted)

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        """Write maps [N, H, W, 1] as 000000.png etc. from `start` on, with the labels as they were in the data."""
        return [write_bytes(folder / name, data) for name, data in self.files(stored, start, metadata)]

    def files(self, stored: Tensor, start: int, metadata: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        """The files of `write`, as (name, content)."""
        png_info = PngInfo()
        for name, text in metadata.items():
            png_info.add_text(name, text)
        for number, classes in enumerate(stored[..., 0].cpu().numpy(), start):
            buffer = io.BytesIO()
            self._paint(classes).save(buffer, "PNG", pnginfo=png_info)
            yield f"{number:06d}.png", buffer.getvalue()

    def _paint(self, classes: np.ndarray) -> "Picture":
        """Classes [H, W] as a picture: of colours; of indices with a palette, or gray with 16 bits if one is above 255."""
        if self.kind == "colour":
            return Pillow.fromarray(self.colours[classes])
        values = np.array(self.values)[classes]
        if max(self.values) > 255:
            return Pillow.fromarray(values.astype(np.uint16))
        palette = np.zeros((256, 3), np.uint8)
        palette[list(self.values)] = self.colours
        picture = Pillow.fromarray(values.astype(np.uint8))
        picture.putpalette(palette.tobytes())
        return picture
