"""What lies in RUN/exhibits/ is on the page, and a file that is not what it says harms nothing."""

from pathlib import Path

import pytest

from ganvas.core import Exhibit
from ganvas.report.exhibits import render_exhibits
from ganvas.runs.exhibits import write_exhibits

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
