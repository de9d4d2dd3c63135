"""What a path is for: captions, pairs to translate, two kinds of pictures without pairs, or one kind. Names of files decide."""

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Literal, NamedTuple, cast

import numpy as np

from ..core import Source
from ..errors import GanvasError
from .captioned import Captioned, find_captions, may_hold_captions, read_part
from .captioned_items import CaptionedPicture, count_captions
from .columns import list_source_names, select_column
from .files import Files
from .formats.parquet import PARQUET_SUFFIX, has_pictures
from .listing import ListedFile, is_sample
from .names import format_count, is_hidden
from .pair_tables import find_pair_table, has_pair_columns
from .pairing import pair_by_name
from .pairs import MAX_LONE_SHARE, Pairs, check_shapes, choose_evenly
from .palettes import count_shared_labels
from .parts import read_part_name
from .rows_source import Rows
from .side_by_side import describe_pixels, read_picture_size
from .sides import SidedFile, SidedPart, list_files, read_sided_part
from .stacked_sources import SOURCE_CHANNELS
from .tables import is_table_path
from .tables.database import SQLITE_PREFIX
from .unpaired import Unpaired

COMPANION_SUFFIXES = (".toml", ".txt", ".md")  # of files that may lie beside a table
HEAD_BYTES = 4096  # of a table, enough for its first line
MIN_COMMON_SHARE = 0.05  # of the smaller side: with fewer names in common, the sides have no pairs


class Task(NamedTuple):
    """What there is to learn at a path."""

    kind: Literal["paired", "unpaired", "plain", "captioned"]
    source: Source  # which reads it
    sentence: str  # for people: "312 pairs by name, 4 files without a partner, 256 x 256 RGB"
    scale: float = 1.0  # of pairs: how many times larger targets are than their sources
    is_joined: bool = False  # of pairs: each picture holds both halves
    has_label_maps: bool = False  # of pairs: the sources are maps of labels


def recognise_table(path: str) -> Rows | None:
    """The rows at a path if it is a table of values: no table of pairs, and no pictures in the rows of a .parquet file."""
    if path.startswith(SQLITE_PREFIX):
        return Rows(path=path)
    location = Path(path).expanduser()
    files = [file for file in location.iterdir() if not is_hidden(file.name)] if location.is_dir() else [location]
    others = [file for file in files if not (file.is_file() and is_table_path(file.name))]
    files = [file for file in files if file not in others]
    if not files or any(file.suffix.lower() not in COMPANION_SUFFIXES for file in others):
        return None
    if any(file.suffix.lower() == PARQUET_SUFFIX and has_pictures(file) for file in files):
        return None
    return None if any(_has_pair_columns(file) for file in files) else Rows(path=path)


def _has_pair_columns(file: Path) -> bool:
    if file.suffix.lower() != ".csv":
        return False
    with file.open("rb") as opened:
        return has_pair_columns(opened.read(HEAD_BYTES))


def recognise_captions(path: str, suffixes: tuple[str, ...]) -> Task | None:
    """Pictures with captions, and how many; None if the path holds something else. `suffixes` are those of pictures.

    Raises:
        GanvasError: captions that cannot be read, or that many pictures lack.
    """
    captioned = find_captions(path, suffixes) if may_hold_captions(Path(path).expanduser(), suffixes) else None
    items, held_out = (None, None) if captioned is None else (read_part(captioned, "train"), read_part(captioned, "test"))
    if items is None:
        return None
    captions = [cast(CaptionedPicture, items[index]).captions for index in range(len(items))]
    pictures = select_column(items, "x")
    phrases = [f"{format_count(len(items), 'picture')} with {count_captions(captions)}"]
    phrases.append(describe_appearance([pictures[index] for index in choose_evenly(range(len(pictures)))]))
    phrases += [f"{format_count(len(held_out), 'picture')} in a test part"] if held_out is not None else []
    return Task("captioned", Captioned(path=path), ", ".join(phrases))


def recognise_task(path: str, suffixes: tuple[str, ...]) -> Task:
    """What there is to learn at a path. `suffixes` are those of pictures.

    Pairs are: a table of pairs, two folders A and B with the same names, or pictures that are all twice as wide as high.

    Raises:
        GanvasError: one side is missing, some names agree and others do not, or pairs do not fit together.
    """
    location = Path(path).expanduser()
    if location.is_file() and location.suffix.lower() == ".csv" and not _has_pair_columns(location):
        return describe_plain_task(path, suffixes)
    if find_pair_table(path) is not None:
        return describe_paired_task(path, suffixes)
    part = _read_training_part(path, suffixes)
    if part is None:
        return describe_plain_task(path, suffixes)
    has_sides = bool(part.list_side("source")), bool(part.list_side("target"))
    if all(has_sides) and not part.list_side(None):
        return _recognise_sides(path, suffixes, part)
    check_lone_side(part)
    is_joined = not any(has_sides) and are_joined([file.file for file in part.files])
    return describe_paired_task(path, suffixes)._replace(is_joined=True) if is_joined else describe_plain_task(path, suffixes)


def _read_training_part(path: str, suffixes: tuple[str, ...]) -> SidedPart | None:
    """The pictures of a folder or a zip to train on; None if there are none."""
    location = Path(path).expanduser()
    if not (location.is_dir() or (location.is_file() and location.suffix.lower() == ".zip")):
        return None
    if not any(is_sample(file, suffixes) for file in list_files(path).files):
        return None
    return read_sided_part(path, None, suffixes, "train")


def check_lone_side(part: SidedPart) -> None:
    """Raises GanvasError if all pictures lie in a folder A, B, trainA or trainB, and none in its partner."""
    letters = {_read_letter(file) for file in part.files}
    if letters not in ({"A"}, {"B"}):
        return
    letter = letters.pop()
    missing_letter, content = ("B", "what the sources become") if letter == "A" else ("A", "the sources")
    raise GanvasError(
        f"{part.listing.title} has {format_count(len(part.files))} in {letter}, and no folder {missing_letter}: put {content} "
        f"into {missing_letter}, or give the folder {letter} itself to learn from its pictures alone"
    )


def _read_letter(file: SidedFile) -> str:
    """A or B, if a folder is called so, or is such a side of a part; otherwise an empty text."""
    for folder in file.file.name.split("/")[:-1]:
        part_folder = read_part_name(folder)
        if folder in ("A", "B") or (part_folder is not None and part_folder.domain):
            return folder[-1]
    return ""


def are_joined(pictures: Sequence[ListedFile]) -> bool:
    """Whether all pictures are twice as wide as high, as two halves of a pair are. It looks at some of them."""
    try:
        sizes = [read_picture_size(picture.read()) for picture in choose_evenly(pictures)]
    except (GanvasError, OSError):
        return False
    return len(sizes) > 1 and all(width == 2 * height for width, height in sizes)


def _recognise_sides(path: str, suffixes: tuple[str, ...], part: SidedPart) -> Task:
    """Two sides with pictures are pairs if their names agree. Raises GanvasError if only some do."""
    sources, targets = ([file.place.path for file in part.list_side(side)] for side in ("source", "target"))
    pairing = pair_by_name(sources, targets)
    lone_count = len(pairing.lone_names)
    if lone_count <= MAX_LONE_SHARE * (len(sources) + len(targets)):
        return describe_paired_task(path, suffixes)
    if len(pairing.pairs) <= MIN_COMMON_SHARE * min(len(sources), len(targets)):
        return describe_unpaired_task(path, suffixes)
    raise GanvasError(
        f"{part.listing.title} can be read in two ways: as {format_count(len(pairing.pairs), 'pair')} by name, with "
        f"{format_count(lone_count)} without a partner, or as two kinds of pictures without pairs. For pairs, rename or remove "
        "the lone files; otherwise name a recipe that needs no pairs, such as cyclegan or cut"
    )


def describe_paired_task(path: str, suffixes: tuple[str, ...]) -> Task:
    """Pairs, and how many by what. Raises GanvasError if they do not fit together."""
    source, table = Pairs(path=path), find_pair_table(path)
    items, scale, phrases = source.items(suffixes), 1.0, list[str]()
    if table is not None:
        scale, way = check_shapes(table.pairs), f"of {table.name}"
    else:
        scale, way, lone_count = _inspect_sides(read_sided_part(path, None, suffixes, "train"))
        phrases += [f"{format_count(lone_count)} without a partner"] if lone_count else []
    targets = select_column(items, "x")
    phrases.append(describe_appearance([targets[index] for index in choose_evenly(range(len(targets)))]))
    if names := list_source_names(items):
        phrases.append(f"sources: {' + '.join(names)} ({SOURCE_CHANNELS * len(names)} channels)")
    if scale != 1:
        phrases.append(f"{scale:g} times larger than the sources" if scale > 1 else f"sources {1 / scale:g} times larger")
    sources = select_column(items, "source")
    label_count = count_shared_labels([sources[index] for index in choose_evenly(range(len(sources)))])
    phrases += [f"sources are maps of {label_count} labels"] if label_count else []
    held_out = source.held_out(suffixes)
    phrases += [f"{format_count(len(held_out), 'pair')} in a test part"] if held_out is not None else []
    sentence = ", ".join([f"{format_count(len(items), 'pair')} {way}", *phrases])
    return Task("paired", source, sentence, scale, has_label_maps=label_count is not None)


def _inspect_sides(part: SidedPart | None) -> tuple[float, str, int]:
    """(how many times larger targets are, what makes the pairs, how many files have no partner)."""
    if part is None or part.list_side(None):
        return 1.0, "side by side, the source on the left", 0
    sources, targets = part.list_side("source"), part.list_side("target")
    pairing = pair_by_name([file.place.path for file in sources], [file.place.path for file in targets])
    scale = check_shapes([(sources[i].file, targets[j].file) for i, j in pairing.pairs])
    return scale, "by name", len(pairing.lone_names)


def describe_unpaired_task(path: str, suffixes: tuple[str, ...]) -> Task:
    """Two kinds of pictures without pairs, and how many of each. Raises GanvasError if a side has fewer than two."""
    source = Unpaired(path=path)
    items, held_out = source.items(suffixes), source.held_out(suffixes)
    phrases = [f"{len(items.sides['source']):,} pictures in A and {len(items.sides['x']):,} in B, without pairs"]
    phrases.append(describe_appearance([items.sides["x"][index] for index in choose_evenly(range(len(items)))]))
    if held_out is not None:
        phrases.append(f"{len(held_out.sides['source']):,} and {len(held_out.sides['x']):,} in a test part")
    return Task("unpaired", source, ", ".join(phrases))


def describe_plain_task(path: str, suffixes: tuple[str, ...]) -> Task:
    """Samples of one kind. Raises GanvasError if there are fewer than two."""
    source = Files(path=path)
    items = source.items(suffixes)
    phrases = [f"{len(items):,} samples of one kind"]
    phrases += (
        [f"{len(items.classes)} classes"] if items.classes and items.labels is not None and items.labels.ndim == 1 else []
    )
    return Task("plain", source, ", ".join(phrases))


def describe_appearance(pictures: Sequence[bytes | np.ndarray]) -> str:
    """ "256 x 256 RGB", or from the smallest to the largest. Arrays are [H, W, …]; unreadable files are passed over."""
    sizes = [size for size in map(_read_size_or_none, pictures) if size is not None]
    if not sizes:
        return "of unknown size"
    smallest, largest = min(sizes, key=prod), max(sizes, key=prod)
    span = f"{smallest[0]} x {smallest[1]}" + (f" to {largest[0]} x {largest[1]}" if largest != smallest else "")
    kinds = list(dict.fromkeys(filter(None, map(describe_pixels, pictures))))
    return f"{span} {' and '.join(kinds)}".rstrip()


def _read_size_or_none(picture: bytes | np.ndarray) -> tuple[int, int] | None:
    try:
        return (picture.shape[1], picture.shape[0]) if isinstance(picture, np.ndarray) else read_picture_size(picture)
    except GanvasError:
        return None
