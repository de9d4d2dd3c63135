"""Samples as one file: a picture of all, or a text of them."""

from pathlib import Path

import pytest
import torch

from ganvas.errors import GanvasError
from ganvas.media import ImageCodec, LettersCodec
from ganvas.sampling.texts import CaptionedBlock
from ganvas.sampling.writing import _write_grid, draw_grid


def test_all_texts_go_to_one_file_in_a_new_folder(tmp_path: Path) -> None:
    codec, stored = LettersCodec(alphabet="ab", length=3), torch.tensor([[1, 2, 0], [2, 0, 0]], dtype=torch.uint8)
    path = _write_grid(codec, iter([CaptionedBlock(stored, ())]), 2, tmp_path / "new" / "out", {"seed": "0"})
    assert path.read_text() == "ab\nb\n"
    assert (path.parent / "PROVENANCE.json").exists()
    with pytest.raises(GanvasError, match=r"all texts go to a file grid\.txt, no picture: give its folder"):
        _write_grid(codec, iter([CaptionedBlock(stored, ())]), 2, tmp_path / "sheet.png", {})


def test_two_neighbours_with_one_caption_do_not_make_a_column() -> None:
    codec, stored = ImageCodec(size=8), torch.zeros(16, 3, 8, 8, dtype=torch.uint8)
    captions = ["a cat", "a cat", *(f"dog {k}" for k in range(14))]
    picture = draw_grid(codec, stored, captions)
    assert picture.width > picture.height
    rows = draw_grid(codec, stored, ["a cat"] * 8 + ["a dog"] * 8)  # samples of two texts: a row each
    assert rows.width > rows.height
