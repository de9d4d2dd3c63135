"""Files of choices: what is read, what is counted, what is held out, and what is refused."""

from pathlib import Path

import pytest
import torch

from ganvas.errors import GanvasError
from ganvas.preference import choices as module
from ganvas.preference.choices import read_likes, read_pairs

PAIRS = [(2 * k, 2 * k + 1) for k in range(50)]


def write(folder: Path, lines: list[str], name: str = "choices.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def pair_lines(pairs: list[tuple[int, int]] = PAIRS) -> list[str]:
    return ["better_seed,worse_seed", *(f"{a},{b}" for a, b in pairs)]


def as_set(pairs: torch.Tensor) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in pairs}


def test_a_fifth_is_held_out_and_nothing_is_lost(tmp_path: Path) -> None:
    read = read_pairs(write(tmp_path, pair_lines()))
    assert len(read.held_out) == read.tests == 10
    assert as_set(read.training) | as_set(read.held_out) == set(PAIRS)
    assert not as_set(read.training) & as_set(read.held_out)
    assert (read.contradictions, read.repetitions, read.weights) == (0, 0, ())


def test_the_place_of_a_pair_follows_from_its_seeds() -> None:
    """Neither its place in the file nor its direction moves it."""
    first = read_pairs(PAIRS)
    turned = read_pairs([(b, a) for a, b in reversed(PAIRS)])
    assert as_set(first.held_out) == {(a, b) for b, a in as_set(turned.held_out)}
    assert read_pairs(PAIRS[::-1]).fingerprint == first.fingerprint != turned.fingerprint
    grown = read_pairs([*PAIRS, *((200 + 2 * k, 201 + 2 * k) for k in range(10))])
    assert len(as_set(first.held_out) & as_set(grown.held_out)) >= 8


def test_contradictions_and_repetitions_are_counted() -> None:
    read = read_pairs([*PAIRS, (1, 0), (3, 2), (4, 5), (4, 5)])
    assert (read.contradictions, read.repetitions) == (2, 2)
    both = {frozenset(pair) for pair in as_set(read.training)} & {frozenset(pair) for pair in as_set(read.held_out)}
    assert not both  # the two sides of a contradiction stay together
    assert len(read.training) + len(read.held_out) == 52


def test_the_notes_of_a_page(tmp_path: Path) -> None:
    notes = ["# ganvas: choices between samples", "# weights 00ff", "# seeds 0-99"]
    assert read_pairs(write(tmp_path, [*notes, *pair_lines()])).weights == ("00ff",)
    with pytest.raises(GanvasError, match=r"seed 100 was not on the page, which showed 0-99"):
        read_pairs(write(tmp_path, [*notes, *pair_lines(), "100,3"]))


def test_files_of_several_pages_can_be_joined(tmp_path: Path) -> None:
    second = [(a + 100, b + 100) for a, b in PAIRS]
    lines = ["# weights aa", "# seeds 0-99", *pair_lines(), "# weights bb", "# seeds 100-199", *pair_lines(second)]
    read = read_pairs(write(tmp_path, lines))
    assert read.weights == ("aa", "bb")
    assert len(read.training) + len(read.held_out) == 100


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a,b", "1,2"], r"no column better_seed and no worse_seed: its first line must be better_seed,worse_seed"),
        ([], "its first line must be"),
        ([*pair_lines(), "7,7"], r"choice 51: seed 7 is compared with itself: delete this line"),
        ([*pair_lines(), "7,x"], r"line 52: a seed is a whole number below 1,000,000,000,000,000,000, got 'x'"),
        ([*pair_lines(), "7"], r"line 52: a seed is"),
        ([*pair_lines(), "-1,2"], r"line 52: a seed is"),
        ([*pair_lines(), f"1,{10**18}"], r"line 52: a seed is"),
        (pair_lines(PAIRS[:12]), r"holds 12 pairs, and a reward needs 30 or more, better 100: choose 18 more"),
        (pair_lines([*PAIRS[:15], *((b, a) for a, b in PAIRS[:15])]), r"holds 15 pairs"),
    ],
)
def test_what_is_no_file_of_pairs(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(GanvasError, match=message):
        read_pairs(write(tmp_path, lines))


def test_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, pair_lines())
    monkeypatch.setattr(module, "MAX_CHOICES", 49)
    with pytest.raises(GanvasError, match="has 50 lines, and 49 are the most"):
        read_pairs(path)
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 20)
    with pytest.raises(GanvasError, match="is it a file of choices"):
        read_pairs(path)
    monkeypatch.undo()
    with pytest.raises(GanvasError, match="cannot be read"):
        read_pairs(tmp_path / "none.csv")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GanvasError, match="cannot be read"):
        read_pairs(path)


def test_likes_are_paired_with_what_the_page_showed_besides(tmp_path: Path) -> None:
    likes = list(range(0, 200, 5))
    read = read_likes(write(tmp_path, ["# seeds 0-199", "seed", *map(str, likes)]))
    pairs = as_set(read.training) | as_set(read.held_out)
    assert {a for a, _ in pairs} == set(likes)
    assert {b for _, b in pairs} <= set(range(200)) - set(likes)
    assert read.tests == 8
    assert not {a for a, _ in as_set(read.training)} & {a for a, _ in as_set(read.held_out)}
    assert not {b for _, b in as_set(read.training)} & {b for _, b in as_set(read.held_out)}


def test_likes_without_a_page_are_paired_with_other_seeds() -> None:
    read = read_likes(list(range(40)))
    assert {b for _, b in as_set(read.training)} <= set(range(40, 200))


def test_likes_of_everything_say_nothing(tmp_path: Path) -> None:
    with pytest.raises(GanvasError, match=r"you like all but 1 of 41 samples: like only the best"):
        read_likes(write(tmp_path, ["# seeds 0-40", "seed", *map(str, range(40))]))
