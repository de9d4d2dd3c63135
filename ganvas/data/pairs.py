"""Pairs of pictures for translators: each source with what it becomes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from ..configuration import config
from ..errors import GanvasError
from .items import MIN_DATASET_SAMPLES, ItemList, fingerprint_parts, limit_items
from .listing import FileListing, ListedFile
from .names import format_count, list_examples
from .pair_tables import PairTable, find_pair_table
from .pairing import pair_by_name
from .side_by_side import read_picture_size, split_picture
from .sides import SidedPart, divide_sides, read_sided_part
from .stacked_sources import check_stacks, read_stack

MAX_LONE_SHARE = 0.05  # of files without a partner that are left out; more of them are refused
CHECKED_PAIRS = 64  # whose sizes are looked at, evenly spaced
MAX_SHAPE_DIFFERENCE = 1.02  # by this factor the shapes of a source and its target may differ

Part = Mapping[str, np.ndarray | bytes]
T = TypeVar("T")


@dataclass
class PairItems(ItemList):
    """Pairs: mappings with "source" and "x"."""

    scale: float = 1.0  # how many times larger "x" is than "source": a whole number, or one over it
    source_names: tuple[str, ...] = ()  # of several sources that are stacked into "source"


@config
class Pairs:
    """Pairs of pictures in a folder or a zip. A translator learns to make the second, "x", from the first, "source".

    path: A/ with the sources and B/ with what they become, under the same names; or trainA, trainB, testA, testB; or pictures
        that hold both halves, the source on the left; or a table of pairs, pairs.csv, with the columns source and target, and
        between them those of further sources.
    targets: another folder, with what the pictures of `path` become.
    reverse: from B to A.
    limit: train on at most this many pairs: random, but always the same.
    """

    path: str
    targets: str | None = None
    reverse: bool = False
    limit: int | None = None

    def items(self, suffixes: tuple[str, ...]) -> ItemList:
        """The pairs to train on. Raises GanvasError if there are fewer than two, or files that do not pair."""
        items = self._read_part(suffixes, "train")
        if items is None or len(items) < MIN_DATASET_SAMPLES:
            raise GanvasError(f"{self.path} has no pairs to train on: at least {MIN_DATASET_SAMPLES} are needed")
        return limit_items(items, self.limit)

    def held_out(self, suffixes: tuple[str, ...]) -> ItemList | None:
        """The pairs of testA and testB, of a folder called test or val, or of pairs_test.csv; None if there are none."""
        return self._read_part(suffixes, "test")

    def _read_part(self, suffixes: tuple[str, ...], split: str) -> ItemList | None:
        if self.targets is None and find_pair_table(self.path) is not None:
            table = find_pair_table(self.path, split)
            return None if table is None else read_table(table, self.reverse)
        part = read_sided_part(self.path, self.targets, suffixes, split)
        if part is None:
            return None
        read = read_halves if all(file.place.side is None for file in part.files) else read_sides
        return read(part, self.reverse)


def read_sides(part: SidedPart, reverse: bool) -> PairItems:
    """Pairs of files in two folders, by their names.

    Raises:
        GanvasError: an empty side, files outside both, more than 5% without a partner, or shapes that do not fit.
    """
    listing, advice = part.listing, "put the sources into A, and what they become into B, under the same names"
    sources, targets = divide_sides(part, advice)[:: -1 if reverse else 1]
    pairing = pair_by_name([file.place.path for file in sources], [file.place.path for file in targets])
    notes = _describe_lone_files(listing.title, pairing.lone_names, len(sources) + len(targets), len(pairing.pairs))
    pairs = [(sources[i].file, targets[j].file) for i, j in pairing.pairs]
    scale = check_shapes(pairs)

    def read_pair(index: int) -> Part:
        source, target = pairs[index]
        return {"source": source.read(), "x": target.read()}

    names = [f"{source.name} and {target.name}" for source, target in pairs]
    return _build_pair_items(listing, names, read_pair, [file for pair in pairs for file in pair], notes, reverse, scale)


def read_table(table: PairTable, reverse: bool) -> PairItems:
    """Pairs of a table. Several sources are stacked into one. Raises GanvasError for shapes that do not fit."""
    names = table.source_names if len(table.source_names) > 1 else ()
    if names and reverse:
        raise GanvasError(f"{table.name} has several sources, and one picture cannot become several: leave reverse out")
    sources, targets = table.sources, [target for _, target in table.pairs]
    if names:
        check_stacks(choose_evenly(sources))
    scale = check_shapes([(target, source) for source, target in table.pairs] if reverse else table.pairs)

    def read_pair(index: int) -> Part:
        pair = {"source": read_stack(sources[index]), "x": targets[index].read()}
        return {"source": pair["x"], "x": pair["source"]} if reverse else pair

    files = [file for row in table.rows for file in (row[::-1] if reverse else row)]
    titles = [" and ".join(file.name for file in (row[::-1] if reverse else row)) for row in table.rows]
    items = _build_pair_items(
        table.listing, titles, read_pair, files, (f"its pairs are those of {table.name}",), reverse, scale
    )
    if not names:
        return items
    return replace(items, source_names=names, fingerprint=fingerprint_parts(items.fingerprint, names))


def read_halves(part: SidedPart, reverse: bool) -> PairItems:
    """Pairs that are the two halves of one picture. Raises GanvasError unless all pictures are twice as wide as high."""
    listing, pictures = part.listing, [file.file for file in part.files]
    for picture in choose_evenly(pictures):
        width, height = _read_size(picture)
        if width != 2 * height:
            raise GanvasError(
                f"{listing.title} has neither the folders A and B nor pictures of two halves: {picture.name} is {width} x "
                f"{height} px, not twice as wide as high. Put the sources into A, and what they become into B"
            )

    def read_pair(index: int) -> Part:
        left, right = split_picture(pictures[index].read())
        return {"source": right, "x": left} if reverse else {"source": left, "x": right}

    notes = (f"each picture holds a pair: its {'right' if reverse else 'left'} half is the source",)
    return _build_pair_items(listing, [picture.name for picture in pictures], read_pair, pictures, notes, reverse)


def check_shapes(pairs: Sequence[tuple[ListedFile, ListedFile]]) -> float:
    """How many times larger targets are than their sources: a whole number, or one over it. It looks at some of the pairs.

    Raises:
        GanvasError: a source has another shape than its target, another factor lies between them, or factors differ.
    """
    scale: float | None = None
    for source, target in choose_evenly(pairs):
        (source_width, source_height), (width, height) = _read_size(source), _read_size(target)
        sizes = f"{source.name} is {source_width} x {source_height} px, but {target.name} is {width} x {height}"
        ratio = (source_width * height) / (source_height * width)
        if not 1 / MAX_SHAPE_DIFFERENCE < ratio < MAX_SHAPE_DIFFERENCE:
            raise GanvasError(f"{sizes}: a pair shows the same place, so crop both alike")
        pair_scale = find_whole_scale(source_height, height)
        if pair_scale is None:
            raise GanvasError(f"{sizes}, which is no whole number of times: give both one size, or 2, 3, 4 … times the other")
        if scale not in (None, pair_scale):
            raise GanvasError(f"{sizes}, and other pairs differ by another factor: bring all pairs to one factor")
        scale = pair_scale
    return scale or 1.0


def find_whole_scale(source_side: int, side: int) -> float | None:
    """How many times larger a side is: a whole number, or one over it. None if it is neither, but for rounding."""
    factor = max(source_side, side) / min(source_side, side)
    whole_factor = round(factor)
    if not 1 / MAX_SHAPE_DIFFERENCE < factor / whole_factor < MAX_SHAPE_DIFFERENCE:
        return None
    return float(whole_factor) if side >= source_side else 1 / whole_factor


def _read_size(file: ListedFile) -> tuple[int, int]:
    try:
        return read_picture_size(file.read())
    except GanvasError as error:
        raise GanvasError(f"{file.name} {error}") from None


def choose_evenly(everything: Sequence[T]) -> Sequence[T]:
    return everything[:: max(1, -(-len(everything) // CHECKED_PAIRS))]


def _describe_lone_files(title: str, names: Sequence[str], total: int, pair_count: int) -> tuple[str, ...]:
    """A note about files without a partner. Raises GanvasError if they are many."""
    if not names:
        return ()
    verb = "has" if len(names) == 1 else "have"
    description = f"{format_count(len(names))} of {title} {verb} no partner of the same name ({list_examples(sorted(names))})"
    if len(names) > MAX_LONE_SHARE * total:
        raise GanvasError(
            f"{description}, and {pair_count:,} pairs: rename them so that both sides agree, or name a recipe that needs no "
            "pairs, such as cut_small"
        )
    return (f"{description}: left out",)


def _build_pair_items(
    listing: FileListing,
    names: Sequence[str],
    read_pair: Callable[[int], Part],
    files: Sequence[ListedFile],
    notes: tuple[str, ...],
    reverse: bool,
    scale: float = 1.0,
) -> PairItems:
    return PairItems(
        names=names,
        read_item=read_pair,  # type: ignore[arg-type]
        fingerprint=fingerprint_parts(listing.take_fingerprint(files, []), "pairs", reverse),
        title=f"{listing.title} ({format_count(len(names), 'pair')})",
        notes=(*listing.notes, *notes),
        scale=scale,
    )
