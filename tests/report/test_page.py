"""The run's page: whole, self-contained and safe, whatever state the run folder is in."""

import base64
import io
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ganvas.errors import GanvasError
from ganvas.report import embedding, page
from ganvas.report.page import LogRow, pick_evenly, thin_rows, write_report

NASTY = '</script><script>alert(1)</script> <b>&amp; "it\'s" {{data}} {0} {x}'
PROTOCOL = {"extractor": "fashion-classifier-v1", "samples": 10_000, "resize": "lanczos", "seed": 0}
PROTOCOL |= {"reference": "train, 60,000 images", "held_out": "test, 10,000 images"}
RECIPE = {
    "is": "ganvas.recipe:Recipe",
    "data": {"is": "ganvas.data:Idx", "path": "data/<fashion> & co"},
    "method": {
        "is": "ganvas.methods:Adversarial",
        "penalties": [{"is": "ganvas.losses:R1", "gamma": 1.0, "every": 16}],
        "augment": None,
        "flip": True,
    },
    "optim": {"G": {"is": "ganvas.optim:Adam", "lr": 0.002, "betas": [0.0, 0.99]}},
    "train": {"samples": 25_000_000},
    "metrics": [],
}


def card(images: int, frechet: float, coverage: float, kind: str = "snapshot", **protocol: Any) -> dict[str, Any]:
    return {
        "samples": images,
        "checkpoint": f"{images:09d}",
        "kind": kind,
        "scores": {"frechet": frechet, "coverage": coverage},
        "floor": {"frechet": 0.03, "coverage": 0.97},
        "lower_is_better": {"frechet": True, "coverage": False},
        "protocol": PROTOCOL | protocol,
    }


def log_line(i: int) -> dict[str, Any]:
    return {
        "samples": (i + 1) * 640,
        "step": (i + 1) * 10,
        "seconds": 20.0 * (i + 1),
        "samples_per_second": 1200 + 30 * np.sin(i),
        "memory_mb": 812,
        "terms": {"D/adversarial": 0.7 * np.exp(-i / 90), "D/r1": 0.02, "G/adversarial": 1.2 + i / 200},
        "seen": {"D/real": i / 100, "D/fake": -i / 100, "D/p": 0.1},
        "gradient_norm": {"D": 1.2, "G": 0.4},
        "lr": {"G": 0.002, "D": 0.002},
    }


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def picture(seed: int, side: int = 64) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "my run"
    (folder / "samples").mkdir(parents=True)
    facts = {
        "format": 1,
        "ganvas": "0.1.0",
        "name": "dcgan",
        "recipe": RECIPE,
        "asked": RECIPE,
        "seed": 0,
        "data": {"title": "Fashion-MNIST <train>", "count": 60_000, "skipped": 0, "fingerprint": "1f2e"},
        "environment": {"torch": "2.13.0", "device": "cpu", "threads": 2},
    }
    (folder / "recipe.json").write_text(json.dumps(facts), encoding="utf-8")
    write_lines(folder / "log.jsonl", [log_line(i) for i in range(200)])
    write_lines(folder / "scores.jsonl", [card(32_000, 9.5, 0.5), card(64_000, 1.5, 0.81), card(128_000, 1.9, 0.83, "final")])
    for i in range(60):
        picture(i).save(folder / "samples" / f"{(i + 1) * 2000:09d}.png")
    return folder


def page_of(run: Path) -> str:
    return write_report(run).read_text(encoding="utf-8")


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="run">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


class Tags(HTMLParser):
    """What an HTML parser makes of the page: its tags, its text, and whether they nest."""

    def __init__(self, page: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.open = "", [""]
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] not in ("script", "style"):
            self.text += data


def test_page_is_self_contained_and_well_formed(run: Path) -> None:
    page = page_of(run)
    assert not re.search(r"https?://", page)
    assert not re.search(r"@import|url\((?!#)", page.replace("`", ""))
    tags = Tags(page)
    assert tags.open == [""]
    for _, attributes in tags.tags:
        assert (attributes.get("src") or "data:").startswith("data:")
        assert (attributes.get("href") or "data:").startswith("data:")
    assert "default-src 'none'" in page
    assert "{{" not in page


def test_embedded_data_round_trips(run: Path) -> None:
    data = data_of(page_of(run))
    lines = [log_line(i) for i in range(200)]
    assert data["log"]["samples"] == [line["samples"] for line in lines]
    for section in ("terms", "seen", "gradient_norm", "lr"):
        assert set(data["log"][section]) == set(lines[0][section])
        for name, values in data["log"][section].items():
            np.testing.assert_allclose(values, [line[section][name] for line in lines], rtol=1e-4)
    np.testing.assert_allclose(data["log"]["speed"]["samples/s"], [line["samples_per_second"] for line in lines], rtol=1e-4)
    curve = {"name": "frechet", "x": [32_000, 64_000, 128_000], "y": [9.5, 1.5, 1.9], "floor": 0.03}
    assert data["scores"][0] == {"metric": "frechet", "lower_is_better": True, "curves": [curve]}


def test_pictures_are_thinned_and_exact(run: Path) -> None:
    samples = data_of(page_of(run))["samples"]
    assert len(samples) == page.MAX_PICTURES
    assert [samples[0]["samples"], samples[-1]["samples"]] == [2000, 120_000]
    assert (samples[-1]["width"], samples[-1]["height"]) == (64, 64)
    shown = base64.b64decode(samples[-1]["uri"].removeprefix("data:image/png;base64,"))
    assert shown == (run / "samples" / "000120000.png").read_bytes()


def test_large_picture_is_embedded_smaller(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "MAX_PICTURE_BYTES", 60_000)
    picture(0, side=500).save(run / "samples" / "000999999.png")
    last = data_of(page_of(run))["samples"][-1]
    shown = base64.b64decode(last["uri"].removeprefix("data:image/jpeg;base64,"))
    assert len(shown) <= 60_000
    with Image.open(io.BytesIO(shown)) as opened:
        assert opened.width == opened.height < 500
    assert last["width"] == 500


def test_unreadable_pictures_and_other_files_are_left_out(run: Path) -> None:
    whole = (run / "samples" / "000120000.png").read_bytes()
    for old in (run / "samples").iterdir():
        old.unlink()
    (run / "samples" / "000002000.png").write_bytes(whole)
    (run / "samples" / "000004000.png").write_bytes(whole[: len(whole) // 2])
    (run / "samples" / "000006000.png").write_bytes(b"")
    (run / "samples" / "<b>&.png").write_bytes(whole)
    assert [sample["samples"] for sample in data_of(page_of(run))["samples"]] == [2000]


def test_everything_from_files_is_escaped(run: Path) -> None:
    facts = json.loads((run / "recipe.json").read_text())
    facts |= {"name": NASTY, "environment": {NASTY: NASTY}, "recipe": {"is": f"ganvas.x:{NASTY}", NASTY: [{NASTY: NASTY}]}}
    facts["data"]["title"] = NASTY
    (run / "recipe.json").write_text(json.dumps(facts))
    line = log_line(0) | {"terms": {NASTY: 1.0, f"{NASTY}/bad": None}}
    write_lines(run / "log.jsonl", [line])
    evil = card(64_000, 1.5, 0.8, kind=NASTY, extractor=NASTY)
    evil |= {"scores": {NASTY: 1.0}, "lower_is_better": {NASTY: True}, "floor": {NASTY: 0.5}}
    write_lines(run / "scores.jsonl", [evil, evil | {"protocol": {NASTY: NASTY}}])
    page = page_of(run)
    tags = Tags(page)
    assert tags.open == [""]
    assert sum(tag == "script" for tag, _ in tags.tags) == 2
    assert "alert(1)</script>" not in page
    assert tags.text.count(NASTY) > 8
    data = data_of(page)
    assert list(data["log"]["terms"]) == sorted([NASTY, f"{NASTY}/bad"])
    assert data["scores"][0]["metric"] == NASTY


@given(st.integers(0, 300), st.integers(3, 60))
def test_thin_keeps_the_ends_and_the_mean(n: int, most: int) -> None:
    rows = [LogRow(i * 10, float(i), {("terms", "D"): float(i), ("lr", "D"): None}) for i in range(n)]
    thinned = thin_rows(rows, most)
    assert len(thinned) == min(n, most)
    if rows:
        assert (thinned[0], thinned[-1]) == (rows[0], rows[-1])
    assert [row.samples for row in thinned] == sorted({row.samples for row in thinned})
    for row in thinned:
        assert row.values["terms", "D"] == pytest.approx(row.samples / 10, abs=0.1)
        assert row.values["lr", "D"] is None


def test_thin_averages_what_is_finite() -> None:
    values = [1.0, 2.0, None, 6.0, 9.0]
    rows = [LogRow(i, None, {("terms", "D"): v}) for i, v in enumerate(values)]
    assert thin_rows(rows, 3) == [rows[0], LogRow(2, None, {("terms", "D"): 4.0}), rows[-1]]


def test_long_log_is_bounded(run: Path) -> None:
    write_lines(run / "log.jsonl", [log_line(i) for i in range(2000)])
    log = data_of(page_of(run))["log"]
    assert len(log["samples"]) == len(log["terms"]["D/r1"]) == page.CURVE_POINTS
    assert (log["samples"][0], log["samples"][-1]) == (640, 1_280_000)


@given(st.integers(0, 500), st.integers(2, 50))
def test_evenly_keeps_the_ends_and_never_repeats(n: int, most: int) -> None:
    chosen = pick_evenly(range(n), most)
    assert len(set(chosen)) == len(chosen) == min(n, most)
    assert chosen == sorted(chosen)
    if n:
        assert (chosen[0], chosen[-1]) == (0, n - 1)
    assert max(np.diff(chosen), default=1) - min(np.diff(chosen), default=1) <= 1


def test_values_that_are_not_finite(run: Path) -> None:
    bad: list[Any] = [None, "NaN", float("nan"), float("inf"), 10**400, 1.7976931348623157e308]
    write_lines(run / "log.jsonl", [log_line(i) | {"terms": {"D/r1": v}} for i, v in enumerate(bad)])
    write_lines(run / "scores.jsonl", [card(640, float("nan"), 0.5), card(1280, 2.0, float("inf"))])
    page = page_of(run)
    data = data_of(page)
    assert data["log"]["terms"]["D/r1"] == [None] * len(bad)
    assert data["scores"][0]["curves"][0]["y"] == [None, 2.0]
    text = Tags(page).text
    assert "5 reports hold values that are not finite, first at 640 samples: terms D/r1." in text
    assert "not finite" in text


def test_half_written_and_alien_lines_are_skipped(run: Path) -> None:
    for name in ("log.jsonl", "scores.jsonl"):
        with (run / name).open("ab") as lines:
            lines.write(
                b'\n[1, 2]\n"text"\n\xff\xfe\n{"samples": "x"}\n{"samples": -5}\n{"samples": 9e99}\n{"samples": 999999, "ter'
            )
    data = data_of(page_of(run))
    assert len(data["log"]["samples"]) == 200
    assert data["scores"][0]["curves"][0]["x"] == [32_000, 64_000, 128_000]


def test_wrong_shapes_are_tolerated(run: Path) -> None:
    (run / "recipe.json").write_text('{"recipe": 3, "data": [], "name": null, "environment": {}}')
    write_lines(run / "log.jsonl", [{"samples": 64, "terms": [1], "seen": {"D/real": "x"}}])
    write_lines(
        run / "scores.jsonl",
        [{"samples": 64, "scores": {"frechet": 1.0}, "protocol": {"seed": 3, "resize": "none"}}, {"samples": 1, "scores": []}],
    )
    text = Tags(page_of(run)).text
    assert "my run" in text
    assert "Protocol: seed 3." in text


@pytest.mark.parametrize("missing", ["recipe.json", "log.jsonl", "scores.jsonl", "samples", "everything"])
def test_missing_files_are_tolerated(run: Path, missing: str) -> None:
    for path in list(run.iterdir()):
        if missing in (path.name, "everything"):
            path.rename(run.parent / path.name)
    data = data_of(page_of(run))
    gone = missing == "everything"
    assert bool(data["samples"]) == (missing != "samples" and not gone)
    assert bool(data["log"]["samples"]) == (missing != "log.jsonl" and not gone)
    assert bool(data["scores"]) == (missing != "scores.jsonl" and not gone)


def test_headline_and_score_table(run: Path) -> None:
    page = page_of(run)
    text = Tags(page).text
    for said in ("Images seen128,000", "Time trained1 h 6 min", "Last frechet1.9 at 128,000", "Best frechet1.5 at 64,000"):
        assert said in text
    row = re.search(r'<tr><th scope="row">frechet.*?</tr>', page)
    assert row
    assert row[0].endswith("<td>1.9</td><td><b>1.5</b></td><td>0.03</td></tr>")
    assert "<td><b>0.83</b></td><td>0.81</td><td>0.97</td>" in page  # the best by frechet is not the best by coverage
    assert (
        "features of fashion-classifier-v1, 10,000 generated samples, resized by lanczos, seed 0, compared with train" in text
    )


def test_what_to_keep_in_mind_of_the_last_scores_is_shown(run: Path) -> None:
    doubted = card(200_000_000, 1.0, 0.5) | {"cautions": ["few <samples>", "copies"]}
    write_lines(run / "scores.jsonl", [card(100, 2.0, 0.4) | {"cautions": ["gone"]}, doubted])
    text = page_of(run)
    assert "Note: few &lt;samples&gt;." in text
    assert "Note: copies." in text
    assert "gone" not in text
    write_lines(run / "scores.jsonl", [doubted | {"cautions": "no list"}])
    assert "Note:" not in page_of(run)


def test_scores_of_another_protocol_are_not_compared(run: Path) -> None:
    write_lines(
        run / "scores.jsonl",
        [card(32_000, 0.5, 0.9, samples=2000), card(64_000, 1.9, 0.8, "final"), card(128_000, 1.7, 0.8, "final")],
    )
    page = page_of(run)
    curves = data_of(page)["scores"][0]["curves"]
    assert [(c["name"], c["x"]) for c in curves] == [
        ("snapshot: 2000 generated samples", [32_000]),
        ("final: 10,000 generated samples", [64_000, 128_000]),
    ]
    assert "Last and best" in page  # 0.5 on fewer samples is no rival of 1.7
    assert "<td><b>1.7</b></td><td>0.03</td>" in page


def test_recipe_is_shown_as_nested_definitions(run: Path) -> None:
    page = page_of(run)
    assert '<b title="ganvas.losses">R1</b><dl><div><dt>gamma</dt><dd>1.0</dd></div>' in page
    assert "<dt>betas</dt><dd>0.0, 0.99</dd>" in page
    assert "<dt>augment</dt><dd>none</dd></div><div><dt>flip</dt><dd>yes</dd>" in page
    assert "<dt>samples</dt><dd>25,000,000</dd>" in page
    assert "data/&lt;fashion&gt; &amp; co" in page
    assert "<dt>torch</dt><dd>2.13.0</dd>" in page


def test_page_is_replaced_whole_or_not_at_all(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = page_of(run)
    assert page_of(run) == first  # nothing but the files goes into it
    files = sorted(p.name for p in run.iterdir())
    assert files == ["log.jsonl", "recipe.json", "report.html", "samples", "scores.jsonl"]

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    (run / "log.jsonl").unlink()
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(GanvasError, match="no space left on device"):
        write_report(run)
    assert (run / "report.html").read_text(encoding="utf-8") == first
    assert not [p for p in run.iterdir() if p.suffix == ".tmp"]


def test_no_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(GanvasError, match="not a run folder: give the folder"):
        write_report(tmp_path / "nowhere")
