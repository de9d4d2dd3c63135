"""What lies in RUN/exhibits/ is on the page, and a file that is not what it says harms nothing."""

import io
from pathlib import Path

import pytest
from PIL import Image as Picture

from ganvas.core import Exhibit
from ganvas.report.exhibits import render_exhibits
from ganvas.runs.exhibits import BEFORE_AFTER, write_exhibits

NASTY = '</section><script>alert("x")</script>'


def test_in_their_order_with_their_captions(tmp_path: Path) -> None:
    write_exhibits(
        tmp_path,
        [Exhibit("words", "Some words", ".txt", b"<b>hello"), Exhibit("rows", NASTY, ".csv", f"a,b\n1,{NASTY}\n".encode())],
    )
    page = render_exhibits(tmp_path)
    assert page.index("Words</h2>") < page.index("Rows</h2>")
    assert "<pre>&lt;b&gt;hello</pre>" in page
    assert "<script" not in page
    assert page.count("</section>") == 2


@pytest.mark.parametrize("suffix", [".png", ".wav", ".mp4", ".csv", ".txt", ".obj"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'"', NASTY.encode()])
def test_a_broken_file_is_a_sentence(tmp_path: Path, suffix: str, content: bytes) -> None:
    write_exhibits(tmp_path, [Exhibit("x", "", suffix, content)])
    page = render_exhibits(tmp_path)
    assert "<script" not in page
    assert ("cannot be shown" in page) == (suffix == ".png")


def test_a_run_without_exhibits_says_when_they_come(tmp_path: Path) -> None:
    assert "when training ends" in render_exhibits(tmp_path)
    (tmp_path / "exhibits").mkdir()
    (tmp_path / "exhibits" / "captions.json").write_text("[1, 2")
    (tmp_path / "exhibits" / "evil.html").write_text("<script>")
    assert "when training ends" in render_exhibits(tmp_path)


def test_before_and_after_are_one_picture_under_a_slider(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Picture.new("RGB", (40, 10), "red").save(buffer, "PNG")
    write_exhibits(tmp_path, [Exhibit(BEFORE_AFTER, NASTY, ".png", buffer.getvalue())])
    page = render_exhibits(tmp_path)
    assert page.count("data:image/png") == 1  # for both layers: it is the largest part of the page
    compare = page[page.index('<div class="compare"') : page.index('<div class="sides"')]
    assert "width:20px;aspect-ratio:40/20" in compare
    assert '<input class="share" type="range" min="0" max="100"' in compare  # over the pictures, for fingers and keys
    assert page.index("<span>before</span>") < page.index("<span>after</span>")  # as the halves lie
    assert "<script" not in page
