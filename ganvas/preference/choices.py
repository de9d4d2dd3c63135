"""Read what people chose: pairs of seeds, the better one first, or seeds that they like. Hold out a fifth of it.

Lines that start with # are notes. page.py writes two: the weights that made its samples, and the seeds that it showed.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from ..core import seed_from, seeded_generator
from ..errors import GanvasError
from ..sampling.seeds import parse_number_list

MAX_FILE_BYTES, MAX_CHOICES = 10_000_000, 20_000
MIN_CHOICES = 30
MAX_SEED = 10**18
HELD_OUT_SHARE = 0.2
OTHERS_PER_LIKE = 4  # samples that each liked one is compared with
PAIR_COLUMNS, LIKE_COLUMNS = ("better_seed", "worse_seed"), ("seed",)
WEIGHTS_NOTE, SEEDS_NOTE = "weights", "seeds"

SeedPair = tuple[int, int]  # the better one first
Row = TypeVar("Row", int, SeedPair)


class Choices(NamedTuple):
    """Pairs of seeds [N, 2], the better one first: some to learn from, and others, of other lines, to test with."""

    training: Tensor
    held_out: Tensor
    tests: int  # independent choices among the held-out pairs
    contradictions: int  # pairs that were chosen both ways
    repetitions: int  # lines that say what another line says
    fingerprint: str
    weights: tuple[str, ...]  # checksums of the networks that made the samples; () is unknown


class ChoiceFile(NamedTuple):
    """The rows of a file, each a tuple of seeds, and its notes by name."""

    rows: list[tuple[int, ...]]
    notes: dict[str, str]
    title: str


def read_pairs(source: str | Path | Sequence[SeedPair]) -> Choices:
    """Choices between two samples: a file with the columns better_seed and worse_seed, or the pairs themselves.

    Raises:
        GanvasError: a file that cannot be read, a line that is no pair of different seeds, a seed that the page did not
            show, or too few or too many lines.
    """
    file = read_choice_file(source, PAIR_COLUMNS) if isinstance(source, (str, Path)) else wrap_rows(source, "the pairs")
    pairs = [(row[0], row[1]) for row in file.rows]
    for number, (better, worse) in enumerate(pairs, 1):
        if better == worse:
            raise GanvasError(f"{file.title}, choice {number}: seed {better} is compared with itself: delete this line")
    unique = list(dict.fromkeys(pairs))
    check_count(len({frozenset(pair) for pair in unique}), "pairs", file.title)
    contradictions = sum((worse, better) in set(unique) for better, worse in unique) // 2
    training, held_out = split_by_key(unique)
    return Choices(
        torch.tensor(training),
        torch.tensor(held_out),
        len(held_out),
        contradictions,
        len(pairs) - len(unique),
        fingerprint_choices("pairs", unique),
        read_weights(file),
    )


def read_likes(source: str | Path | Sequence[int]) -> Choices:
    """Samples that people like: a file with the column seed, or the seeds. Each is paired with samples that they did not mark.

    These are the others that the page showed; without a page, samples of other seeds.

    Raises:
        GanvasError: as `read_pairs`; also if all samples that the page showed are liked.
    """
    is_file = isinstance(source, (str, Path))
    file = read_choice_file(source, LIKE_COLUMNS) if is_file else wrap_rows([(seed,) for seed in source], "the likes")
    likes = list(dict.fromkeys(row[0] for row in file.rows))
    check_count(len(likes), "likes", file.title)
    shown = parse_number_list(file.notes[SEEDS_NOTE], limit=MAX_CHOICES) if SEEDS_NOTE in file.notes else []
    others = [seed for seed in shown if seed not in set(likes)] or [max(likes) + 1 + k for k in range(4 * len(likes))]
    if shown and len(others) < MIN_CHOICES:
        raise GanvasError(
            f"{file.title}: you like all but {len(shown) - len(likes)} of {len(shown)} samples: like only the best"
        )
    parts = zip(split_by_key(likes), split_by_key(others), strict=True)
    training, held_out = (pair_with_others(liked, rest) for liked, rest in parts)
    fingerprint = fingerprint_choices("likes", [*likes, -1, *others])
    tests = len(held_out) // OTHERS_PER_LIKE
    return Choices(training, held_out, tests, 0, len(file.rows) - len(likes), fingerprint, read_weights(file))


def read_weights(file: ChoiceFile) -> tuple[str, ...]:
    return tuple(file.notes[WEIGHTS_NOTE].split(",")) if WEIGHTS_NOTE in file.notes else ()


def pair_with_others(likes: Sequence[int], others: Sequence[int]) -> Tensor:
    """Each liked seed before OTHERS_PER_LIKE random others, [N, 2]."""
    draws = torch.randint(len(others), (len(likes), OTHERS_PER_LIKE), generator=seeded_generator("others", len(likes)))
    worse = torch.tensor(others)[draws]
    return torch.stack([torch.tensor(likes)[:, None].expand_as(worse), worse], 2).flatten(0, 1)


def split_by_key(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """(rows to learn from, rows held out). The seeds alone give a row's place, so more rows change few places."""
    draws = {row: seed_from("held out", sorted(row) if isinstance(row, tuple) else row) for row in rows}
    distinct = sorted(set(draws.values()))
    limit = distinct[round(HELD_OUT_SHARE * len(distinct))]
    return [row for row in rows if draws[row] >= limit], [row for row in rows if draws[row] < limit]


def check_count(count: int, noun: str, title: str) -> None:
    if count < MIN_CHOICES:
        raise GanvasError(
            f"{title} holds {count} {noun}, and a reward needs {MIN_CHOICES} or more, better 100: choose "
            f"{MIN_CHOICES - count} more"
        )


def fingerprint_choices(kind: str, rows: Iterable[object]) -> str:
    return f"{seed_from(kind, sorted(map(repr, rows))):016x}"


# ------------------------------------------------------------ files


def wrap_rows(rows: Iterable[Sequence[int]], title: str) -> ChoiceFile:
    """Rows from Python. Raises GanvasError for anything but seeds."""
    checked = [tuple(check_seed(str(seed), f"{title}, choice {k}") for seed in row) for k, row in enumerate(rows, 1)]
    return ChoiceFile(checked, {}, title)


def read_choice_file(path: str | Path, columns: tuple[str, ...]) -> ChoiceFile:
    """The rows of these columns, and the notes."""
    lines, notes = read_lines(Path(path)), dict[str, str]()
    table = [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    table = [
        row for k, row in enumerate(table) if k == 0 or row[1] != table[0][1]
    ]  # files in a row have their heads in between
    for line in lines:
        if match := re.fullmatch(r"#\s*(\w+)\s+(\S+)\s*", line):
            notes[match[1]] = f"{notes[match[1]]},{match[2]}" if match[1] in notes else match[2]  # of several pages
    names = [name.strip() for name in table[0][1].split(",")] if table else []
    if missing := [name for name in columns if name not in names]:
        raise GanvasError(f"{path} has no column {' and no '.join(missing)}: its first line must be {','.join(columns)}")
    if len(table) - 1 > MAX_CHOICES:
        raise GanvasError(f"{path} has {len(table) - 1:,} lines, and {MAX_CHOICES:,} are the most: delete some")
    rows = list(parse_rows(table[1:], names, columns, str(path)))
    if SEEDS_NOTE in notes:
        shown = set(parse_number_list(notes[SEEDS_NOTE], f"the note of seeds in {path}", 2 * MAX_CHOICES))
        for row in rows:
            if unknown := [seed for seed in row if seed not in shown]:
                raise GanvasError(
                    f"{path}: seed {unknown[0]} was not on the page, which showed {notes[SEEDS_NOTE]}: correct it"
                )
    return ChoiceFile(rows, notes, str(path))


def read_lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise GanvasError(f"{path} is larger than {MAX_FILE_BYTES // 1_000_000} MB: is it a file of choices?")
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise GanvasError(f"{path} cannot be read ({error}): give the file that the page has saved") from None


def parse_rows(
    table: Iterable[tuple[int, str]], names: list[str], columns: tuple[str, ...], path: str
) -> Iterator[tuple[int, ...]]:
    for number, line in table:
        values = dict(zip(names, next(csv.reader([line])), strict=False))
        yield tuple(check_seed(values.get(column, ""), f"{path}, line {number}") for column in columns)


def check_seed(text: str, place: str) -> int:
    if not re.fullmatch(r"\s*\d{1,18}\s*", text, re.ASCII):
        raise GanvasError(f"{place}: a seed is a whole number below {MAX_SEED:,}, got {text!r}: correct this line")
    return int(text)
