"""Files, folders and films through a run's translator: what is kept, what is refused, and what goes on after a damaged file."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from PIL import ImageCms
from PIL.PngImagePlugin import PngInfo
from torch import Tensor, nn

import ganvas
from ganvas import cli
from ganvas.data import Columns, Pairs
from ganvas.errors import GanvasError
from ganvas.losses import LeastSquares
from ganvas.media import Image
from ganvas.methods import Adversarial
from ganvas.nets import ImageToImage, PatchGAN, ResNet
from ganvas.nets.translation import SourceGenerator
from ganvas.optim import Adam
from ganvas.recipe import Evaluation, Recipe, Train
from ganvas.sampling.generator import Sampler, open_sampler
from ganvas.system import files
from ganvas.translation import opening, translating
from ganvas.translation.films import count_frames
from ganvas.translation.flicker import FlickerMeter
from ganvas.translation.jobs import list_jobs
from ganvas.translation.masks import choose_hole, interpret_mask
from ganvas.translation.picture_files import read_picture_file, write_result
from small_recipes import class_condition, image_condition

PROVENANCE = {"Software": "ganvas test", "Comment": "synthetic: made by a generative model", "Source": "recipe x"}


def draw(height: int, width: int, channels: int = 3, dtype: Any = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (height, width, channels), dtype=dtype)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> "ganvas.Run":
    """A translator of 16 px pictures, trained for a moment."""
    folder = tmp_path_factory.mktemp("translator")
    for side in ("A", "B"):
        (folder / "pairs" / side).mkdir(parents=True)
        for k in range(24):
            Pillow.fromarray(np.roll(draw(16, 16), k, 0)).save(folder / "pairs" / side / f"{k}.png")
    recipe = Recipe(
        name="test_translator",
        data=Pairs(path=str(folder / "pairs")),
        medium=Columns(media={"x": Image(size=16), "source": Image(size=16)}),
        nets=ImageToImage(generator=ResNet(width=4, blocks=1), critic=PatchGAN(width=4, layers=1)),
        method=Adversarial(objective=LeastSquares()),
        optim={"G": Adam(lr=1e-3), "D": Adam(lr=1e-3)},
        train=Train(samples=32, batch=8, snapshots=1, precision="fp32"),
        evaluation=Evaluation(samples=20, snapshot_samples=20),
    )
    return ganvas.train(recipe, out=folder / "run", quiet=True)


def write_source(path: Path, pixels: np.ndarray, **settings: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(path, **settings)
    return path


# ------------------------------------------------------------ what a file keeps


def copy_file(source: Path, out: Path) -> None:
    """Through reading and writing, without a network."""
    file = read_picture_file(source)
    write_result(out, file.pixels, file, PROVENANCE)


def build_exif() -> Pillow.Exif:
    exif = Pillow.Exif()
    exif[271], exif[270], exif[274] = "Camera", "a tree", 6
    exif.get_ifd(34665)[33434] = 0.5  # the exposure
    exif.get_ifd(34665)[40962] = 999
    return exif


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_exif_and_profile_stay_and_the_mark_is_added(suffix: str, tmp_path: Path) -> None:
    source = write_source(tmp_path / f"a{suffix}", draw(20, 30), exif=build_exif().tobytes(), icc_profile=SRGB)
    copy_file(source, tmp_path / f"b{suffix}")
    with Pillow.open(tmp_path / f"b{suffix}") as picture:
        exif = picture.getexif()
        assert picture.size == (20, 30)  # it stands upright now
        assert exif.get(274, 1) == 1
        assert exif[271] == "Camera"
        assert exif[270] == f"a tree. {'. '.join(PROVENANCE.values())}"
        assert exif.get_ifd(34665)[33434] == 0.5
        assert exif.get_ifd(34665)[40962] == 20
        assert picture.info["icc_profile"] == SRGB
        assert picture.format == {".jpg": "JPEG", ".tif": "TIFF"}.get(suffix, suffix[1:].upper())


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_stay(suffix: str, channels: int, tmp_path: Path) -> None:
    pytest.importorskip("tifffile")
    pixels = draw(9, 13, channels, np.uint16)
    empty = read_picture_file(write_source(tmp_path / "source.png", draw(4, 4)))
    write_result(tmp_path / f"a{suffix}", pixels, empty, PROVENANCE)
    copy_file(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}")
    file = read_picture_file(tmp_path / f"b{suffix}")
    assert file.pixels.dtype == np.uint16
    assert np.array_equal(file.pixels, pixels)
    assert "synthetic" in str(file.metadata.exif.get(270))


def test_a_deep_png_keeps_profile_and_text(tmp_path: Path) -> None:
    info = PngInfo()
    info.add_text("Author", "Ada")
    info.add_text("Comment", "mine")
    source = read_picture_file(write_source(tmp_path / "a.png", draw(8, 8), pnginfo=info, icc_profile=SRGB, dpi=(300, 300)))
    for name, pixels in (("plain", source.pixels), ("deep", draw(8, 8, 3, np.uint16))):
        write_result(tmp_path / f"{name}.png", pixels, source, PROVENANCE)
        with Pillow.open(tmp_path / f"{name}.png") as picture:
            assert picture.text == {"Author": "Ada", "Original Comment": "mine", **PROVENANCE}  # type: ignore[attr-defined]
            assert picture.info["icc_profile"] == SRGB
            assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_a_gray_profile_does_not_go_with_colours(tmp_path: Path) -> None:
    gray = SRGB[:16] + b"GRAY" + SRGB[20:]
    source = read_picture_file(write_source(tmp_path / "a.png", draw(8, 8, 1), icc_profile=gray))
    write_result(tmp_path / "b.png", draw(8, 8, 3), source, PROVENANCE)
    with Pillow.open(tmp_path / "b.png") as picture:
        assert "icc_profile" not in picture.info


def test_formats_that_cannot_hold_a_picture(tmp_path: Path) -> None:
    source = read_picture_file(write_source(tmp_path / "a.png", draw(8, 8)))
    write_result(tmp_path / "alpha.jpg", draw(8, 8, 4, np.uint16), source, PROVENANCE)
    assert read_picture_file(tmp_path / "alpha.jpg").pixels.shape == (8, 8, 3)
    with pytest.raises(GanvasError, match="PNG cannot hold 7 channels, TIFF can"):
        write_result(tmp_path / "b.png", draw(8, 8, 7), source, PROVENANCE)


# ------------------------------------------------------------ masks


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        ((0, 1), "levels 0 and 1: 1 is filled"),
        ((0, 255), "above 127 is filled"),
        ((0, 90), "levels 0 and 90: 90 is filled"),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_masks_of_every_form(levels: tuple[int, int], words: str, channels: int) -> None:
    hole = np.zeros((6, 5), bool)
    hole[1:3, 2:] = True
    mask = interpret_mask(np.where(hole, levels[1], levels[0]).astype(np.uint8)[..., None].repeat(channels, 2))
    assert np.array_equal(mask.hole, hole)
    assert words in mask.description
    assert ("RGB" if channels == 3 else "gray") in mask.description


def test_a_soft_mask_and_a_transparent_one() -> None:
    soft = np.array([[0, 100, 200, 255]], np.uint8)[..., None]
    assert interpret_mask(soft).hole.tolist() == [[False, False, True, True]]
    transparent = np.full((1, 3, 4), 255, np.uint8)
    transparent[0, 1, 3] = 0
    assert interpret_mask(transparent).hole.tolist() == [[False, True, False]]


# ------------------------------------------------------------ jobs


def test_names_and_subfolders_stay(tmp_path: Path) -> None:
    for name in ("in/a.png", "in/deep/er/b.JPG", "in/c.bmp", "in/film.avi", "in/notes.txt", "in/.hidden.png", "in/out/old.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    jobs = list_jobs([tmp_path / "in"], tmp_path / "in" / "out")
    names = {str(job.out.relative_to(tmp_path / "in" / "out")) for job in jobs}
    assert names == {"a.png", "deep/er/b.JPG", "c.png", "film.mkv"}


@pytest.mark.parametrize(
    ("paths", "out", "message"),
    [
        (["gone.png"], "out", "gone.png does not exist"),
        (["empty"], "out", "empty holds no pictures and no films"),
        ([], "out", "nothing to translate"),
        (["notes.txt"], "out", "neither a picture nor a film"),
        (["one/a.png"], "one", "one of the files to translate, and would be replaced"),
        (["one", "two"], "out", "would both become"),
    ],
)
def test_refused_before_the_start(paths: list[str], out: str, message: str, tmp_path: Path) -> None:
    for name in ("one/a.png", "two/a.png", "notes.txt", "empty/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(GanvasError, match=message):
        list_jobs([tmp_path / path for path in paths], tmp_path / out)


# ------------------------------------------------------------ a run


def test_one_picture_from_python(run: Any, tmp_path: Path) -> None:
    deep = draw(21, 34, 3, np.uint16)
    result = run.translate(deep)
    assert (result.shape, result.dtype) == ((21, 34, 3), np.uint16)
    shallow = draw(21, 34)
    expected = run.translate(shallow)
    path = write_source(tmp_path / "a.png", shallow)
    assert np.array_equal(run.translate(path), expected)
    assert np.array_equal(run.translate(str(path)), expected)
    assert np.array_equal(run.translate(Pillow.fromarray(shallow)), expected)
    with pytest.raises(GanvasError, match=r"b\.png cannot be read"):
        run.translate(tmp_path / "b.png")


def test_a_picture_of_the_run_is_translated_as_its_samples_are(run: Any) -> None:
    """One evaluation mode: what `generate` makes from a source is what `translate` makes."""
    sampler = open_sampler(run)
    source = sampler.spec.conditions["source"].draw(1, None)
    stored = next(sampler.render_stored({"source": source}))[0].numpy()
    pixels = sampler.codec.store(source)[0].numpy()
    assert np.array_equal(run.translate(pixels), stored)


def test_a_folder_with_a_damaged_file(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_source(tmp_path / "in" / "a.png", draw(10, 12))
    write_source(tmp_path / "in" / "sub" / "b.jpg", draw(30, 20))
    write_source(tmp_path / "in" / "alpha.png", draw(9, 9, 4))
    (tmp_path / "in" / "broken.png").write_bytes((tmp_path / "in" / "a.png").read_bytes()[:100])
    out = tmp_path / "out"
    assert cli.main(["translate", str(run.path), str(tmp_path / "in"), "--out", str(out)]) == 1
    told = capsys.readouterr().err
    assert "broken.png" in told
    assert "1 of 4 files could not be translated" in told
    written = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert written == {"a.png", "sub/b.jpg", "alpha.png"}
    assert read_picture_file(out / "alpha.png").pixels[..., 3].tolist() == draw(9, 9, 4)[..., 3].tolist()
    with Pillow.open(out / "sub" / "b.jpg") as picture:
        assert picture.size == (20, 30)
        assert "synthetic" in picture.getexif()[270]
        assert "checkpoint" in picture.getexif()[270]


def test_a_dangling_link_in_a_folder_is_left_out(run: Any, tmp_path: Path) -> None:
    write_source(tmp_path / "in" / "good.png", draw(16, 16))
    (tmp_path / "in" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    report = ganvas.translate(run, tmp_path / "in", tmp_path / "out")
    assert report.written == (tmp_path / "out" / "good.png",)
    assert report.failures == ((tmp_path / "in" / "gone.png", "cannot be read (no such file or directory)"),)


def test_an_interrupted_translation_goes_on(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for k in range(4):
        write_source(tmp_path / "in" / f"{k}.png", draw(16, 16 + k))
    words, out = ["translate", str(run.path), str(tmp_path / "in"), "--out", str(tmp_path / "out")], tmp_path / "out"
    write = translating.write_result

    def interrupt_third(path: Path, *arguments: Any) -> None:
        if path.name == "2.png":
            raise KeyboardInterrupt
        write(path, *arguments)

    monkeypatch.setattr(translating, "write_result", interrupt_third)
    assert cli.main(words) == 130
    assert (
        "interrupted. 2 of 4 files are done: the same command with --skip-existing does the others" in capsys.readouterr().err
    )
    monkeypatch.undo()
    times = [(out / f"{k}.png").stat().st_mtime_ns for k in (0, 1)]
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left, own = out / f".2.png.{dead.pid}.tmp", out / f".3.png.{os.getppid()}.tmp"
    for path in (left, own, out / ".notes.txt.1.tmp"):
        path.write_bytes(b"half")
    assert cli.main([*words, "--skip-existing"]) == 0
    assert "2 results exist already and stay as they are, 2 files are left to do" in capsys.readouterr().err
    assert {path.name for path in out.iterdir()} == {".notes.txt.1.tmp", own.name, "0.png", "1.png", "2.png", "3.png"}
    assert [(out / f"{k}.png").stat().st_mtime_ns for k in (0, 1)] == times
    assert cli.main(words) == 0
    assert "4 of 4 results exist already and are replaced; --skip-existing would leave them" in capsys.readouterr().err
    assert (out / "0.png").stat().st_mtime_ns != times[0]


def test_words_of_the_command_line(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(write_source(tmp_path / "a.png", draw(150, 140)))
    start = ["translate", str(run.path)]
    assert cli.main(start) == 2
    assert cli.main([*start, path, "--reverse", "--out", str(tmp_path / "o")]) == 1
    assert "no network for the way back: its method, Adversarial" in capsys.readouterr().err
    assert cli.main([*start, path, "--label", "dog"]) == 1
    assert cli.main([*start, path, "--tile", "none"]) == 1
    assert "tiles are auto, off, or a side" in capsys.readouterr().err
    assert cli.main([*start, path, "--mask", path, "--out", str(tmp_path / "o")]) == 1
    assert capsys.readouterr().err == "ganvas: this run fills no holes, so it takes no mask: leave out --mask\n"
    assert cli.main([*start, path, "--tile", "40", "--out", str(tmp_path / "o")]) == 0
    assert "statistics of a copy" in capsys.readouterr().err
    assert cli.main([*start, path, "--resize", "--out", str(tmp_path / "o")]) == 0
    assert read_picture_file(tmp_path / "o" / "a.png").pixels.shape == (16, 16, 3)


def write_clip(av: Any, path: Path, frames: int = 6) -> None:
    """Noise that moves, and a second of sound."""
    with av.open(str(path), "w") as film:
        video, sound = film.add_stream("libx264", rate=5), film.add_stream("aac", rate=8000)
        video.width, video.height, video.pix_fmt = 32, 24, "yuv420p"
        for k in range(frames):
            picture = np.roll(draw(24, 32), k, 1)
            film.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(video.encode())
        tone = (np.sin(np.arange(8192) / 5)[None] * 0.3).astype(np.float32)
        for k in range(8):
            frame = av.AudioFrame.from_ndarray(tone[:, 1024 * k : 1024 * (k + 1)], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, 1024 * k
            film.mux(sound.encode(frame))
        film.mux(sound.encode())


def read_clip(av: Any, path: Path) -> tuple[list[float], list[bytes], tuple[int, int], str]:
    """(times of frames, packets of sound, size, comment)."""
    with av.open(str(path)) as film:
        times, size = [], (0, 0)
        for frame in film.decode(video=0):
            times.append(round(float(frame.time), 3))
            size = (frame.width, frame.height)
        film.seek(0)
        sound = [bytes(packet) for packet in film.demux(audio=0) if packet.size]
        return times, sound, size, film.metadata.get("comment", "")


def test_a_film_with_its_sound(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    av = pytest.importorskip("av")
    write_clip(av, tmp_path / "clip.mp4")
    assert cli.main(["translate", str(run.path), str(tmp_path / "clip.mp4"), "--out", str(tmp_path / "out")]) == 0
    assert "flicker" in capsys.readouterr().err
    (times, sound, size, _), (new_times, new_sound, new_size, comment) = (
        read_clip(av, path) for path in (tmp_path / "clip.mp4", tmp_path / "out" / "clip.mp4")
    )
    assert len(times) == 6
    assert new_times == times
    assert new_sound == sound
    assert new_size == size
    assert "synthetic" in comment
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["clip.mp4"]


def test_frames_are_counted_for_the_time_left_also_where_a_film_only_states_its_duration(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    for name in ("clip.mp4", "clip.mkv"):
        write_clip(av, tmp_path / name)
        with av.open(str(tmp_path / name)) as film:
            assert count_frames(film, film.streams.video[0]) == pytest.approx(6, abs=1)


def test_a_full_disk_ends_a_folder_and_is_said(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for k in range(4):
        write_source(tmp_path / "in" / f"{k}.png", draw(16, 16))
    flush, flushes = files.flush_to_disk, list[Path]()

    def fill_disk(path: Path) -> None:
        flushes.append(path)
        if len(flushes) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(path)

    monkeypatch.setattr(files, "flush_to_disk", fill_disk)
    assert cli.main(["translate", str(run.path), str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 1
    text = capsys.readouterr().err
    assert "no space left on device" in text
    assert "2 of 4 files are done: the same command with --skip-existing does the others" in text
    assert len(flushes) == 3  # the fourth is not tried
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "1.png"]


def test_a_broken_film(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("av")
    (tmp_path / "clip.mp4").write_bytes(b"no film at all" * 20)
    assert cli.main(["translate", str(run.path), str(tmp_path / "clip.mp4"), "--out", str(tmp_path / "out")]) == 1
    assert "clip.mp4 cannot be translated as a film (invalid data found when processing input)" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


def test_animations_are_said(tmp_path: Path) -> None:
    frames = [Pillow.fromarray(np.roll(draw(8, 8), k, 0)) for k in range(3)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    (tmp_path / "a.gif").write_bytes(buffer.getvalue())
    assert read_picture_file(tmp_path / "a.gif").is_animation
    assert not read_picture_file(write_source(tmp_path / "b.png", draw(8, 8))).is_animation


# ------------------------------------------------------------ directions, labels, masks by name


class Negative(SourceGenerator):
    """The negative of its source, in gray."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, source: Tensor) -> Tensor:
        return -source.mean(1, keepdim=True)


def test_the_way_back_takes_results_and_makes_sources(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_two_way(*arguments: Any) -> Sampler:
        sampler = open_sampler(*arguments)
        sampler.nets["back"], sampler.traits = Negative(), sampler.traits._replace(reverse_generator="back")
        gray = image_condition((1, 16, 16))
        sampler.spec = sampler.spec._replace(conditions={"source": gray})
        return sampler

    monkeypatch.setattr(opening, "open_sampler", open_two_way)
    pixels = draw(20, 24, 1).repeat(3, 2)
    opened = opening.open_translator(run, reverse=True)
    assert (opened.translator.source_channels, opened.translator.channels) == (3, 1)
    assert np.array_equal(opened.translator.translate(pixels)[..., 0], 255 - pixels[..., 0])
    assert "a translation back" in opened.provenance["Source"]


def test_a_label_is_asked_for(run: Any) -> None:
    sampler = open_sampler(run)
    G = Negative()
    G.conditions = ("source", "label")
    sampler.spec = sampler.spec._replace(conditions={"label": class_condition(2, ("cat", "dog"))})
    with pytest.raises(GanvasError, match=r"needs a label to translate to, and none was given: --label, one of .*cat, dog"):
        opening.prepare_inputs(sampler, G)
    sampler.request = sampler.request._replace(conditions={"label": torch.tensor(1)})
    assert {name: value.tolist() for name, value in opening.prepare_inputs(sampler, G).items()} == {"label": [1]}


def test_a_run_without_sources_translates_nothing(run: Any) -> None:
    sampler = open_sampler(run)
    with pytest.raises(GanvasError, match="makes samples, but not from pictures: ganvas generate"):
        opening.get_source_generator(sampler, "D")


def test_masks_lie_in_a_folder_under_the_same_names(tmp_path: Path) -> None:
    white = np.full((8, 6, 1), 255, np.uint8)
    write_source(tmp_path / "holes" / "trees" / "oak.png", white)
    pixels = draw(8, 6)
    mask = choose_hole(pixels, tmp_path / "holes", Path("trees/oak.jpg"), takes_hole=True)
    assert mask is not None
    assert mask.hole.all()
    with pytest.raises(GanvasError, match=r"has no mask: .*holes holds no picture called trees/elm"):
        choose_hole(pixels, tmp_path / "holes", Path("trees/elm.jpg"), takes_hole=True)
    with pytest.raises(GanvasError, match="there is no mask at"):
        choose_hole(pixels, tmp_path / "none.png", Path("oak.jpg"), takes_hole=True)
    rgba = draw(8, 6, 4)
    rgba[..., 3] = 255
    assert choose_hole(rgba, None, Path("a.png"), takes_hole=True) is None
    rgba[2:4, :, 3] = 0
    mask = choose_hole(rgba, None, Path("a.png"), takes_hole=True)
    assert mask is not None
    assert mask.hole.sum() == 12
    assert choose_hole(rgba, None, Path("a.png"), takes_hole=False) is None


def test_flicker_compares_changes() -> None:
    meter = FlickerMeter()
    for k in range(3):
        meter.add(np.full((4, 4, 3), 10 * k, np.uint8), np.full((8, 8, 1), 25 * (k % 2), np.uint8))
    assert meter.ratio == pytest.approx(2.5)
    still = FlickerMeter()
    for k in range(2):
        still.add(np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 51 * k, np.uint8))
    assert "stands still, and its frames change by 20.00%" in still.describe()
