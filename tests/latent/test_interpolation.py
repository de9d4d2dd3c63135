"""The way between samples: it begins and ends where it should, keeps to the arc, and films say what they are."""

from math import pi
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import ganvas
from ganvas import cli
from ganvas.errors import GanvasError
from ganvas.latent.interpolation import choose_frame_size, interpolate_latents, interpolate_through, lerp_or_slerp
from ganvas.pictures.film import write_film
from ganvas.runs.folder import RunFolder
from ganvas.sampling.generator import Sampler
from trained_runs import trained


@pytest.fixture(scope="module", params=["stylegan2_small", "dcgan_small", "biggan_small"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return trained(request.param, tmp_path_factory.mktemp("way"))


@given(st.integers(0, 10_000), st.integers(2, 9))
def test_the_arc_keeps_to_its_shell(seed: int, size: int) -> None:
    """Between two of one length, all have that length, and equal steps turn by equal angles."""
    a, b = torch.randn(2, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    b = b * a.norm() / b.norm()
    path = lerp_or_slerp(a, b, torch.linspace(0, 1, 5, dtype=torch.float64), True)
    assert torch.allclose(path[[0, -1]], torch.stack([a, b]))
    assert torch.allclose(path.norm(dim=1), a.norm().expand(5))
    turned = torch.acos(((path[1:] * path[:-1]).sum(1) / a.norm() ** 2).clamp(-1, 1))
    assert torch.allclose(turned, turned[0].expand(4), atol=1e-6)
    assert turned.sum() <= pi + 1e-6


@pytest.mark.parametrize(
    ("shape", "longer"), [((8, 8), 128), ((32, 32), 128), ((48, 48), 144), ((64, 96), 192), ((72, 40), 144), ((200, 8), 200)]
)
def test_a_film_shows_each_pixel_alike(shape: tuple[int, int], longer: int) -> None:
    assert choose_frame_size(torch.zeros(1, *shape, 3)) == longer


def test_opposite_points_have_no_one_arc() -> None:
    a = torch.tensor([1.0, 0.0])
    assert torch.equal(lerp_or_slerp(a, -a, torch.tensor([0.5]), True), torch.zeros(1, 2))


def test_a_loop_comes_back_and_an_open_way_ends_at_its_last_stop() -> None:
    stops = torch.tensor([[0.0], [4.0], [2.0]])
    assert interpolate_through(stops, 4, True, False).flatten().tolist() == [0, 1, 2, 3, 4, 3.5, 3, 2.5, 2, 1.5, 1, 0.5]
    assert interpolate_through(stops, 2, False, False).flatten().tolist() == [0, 2, 4, 3, 2]


def test_the_stops_are_the_seeds_samples(run: RunFolder) -> None:
    made = Sampler(run)  # biggan_small's are of different classes
    (found,) = made.render_stored(interpolate_latents(made, [3, 7], 2, "auto", False))
    (wanted,) = made.stream_seeds([3, 7])
    assert int((found[[0, 2]].int() - wanted.int()).abs().max()) <= 1


@pytest.mark.parametrize("name", ["way.gif", "way.webp", "way.png", "way.mp4"])
def test_films_and_strips(run: RunFolder, tmp_path: Path, name: str) -> None:
    pictures = ganvas.interpolate(run, "0-2", frames=2, out=tmp_path / name)
    assert len(pictures) == 6
    if name.endswith("mp4"):
        av = pytest.importorskip("av")
        with av.open(str(tmp_path / name)) as film:
            assert "synthetic" in film.metadata["comment"]
            assert sum(1 for _ in film.decode(video=0)) == 6
        return
    with Image.open(tmp_path / name) as written:
        frames = getattr(written, "n_frames", 1)
        assert frames == 1 if name.endswith("png") else 1 <= frames <= 6  # of equal ones some forms make one that lasts
        about = f"{written.info.get('comment')} {written.info.get('Comment')} {written.getexif().get(0x010E)}"
        assert "synthetic" in about


@pytest.mark.parametrize(("rate", "shown"), [(20.0, 50), (50.0, 20), (24.0, 40), (0.5, 2000)])
def test_a_gif_lasts_as_long_as_asked(tmp_path: Path, rate: float, shown: int) -> None:
    """As far as hundredths of a second go."""
    frames = [Image.new("L", (8, 8), shade) for shade in (0, 80, 160)]
    write_film(frames, tmp_path / "a.gif", rate, {"Comment": "synthetic"})
    with Image.open(tmp_path / "a.gif") as film:
        assert film.info["duration"] == shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seeds", "3"], "from one seed to another"),
        (["--frames", "0"], "frames must be from 1"),
        (["--frames", "100000"], "frames must be from 1"),
        (["--way", "round"], "--way auto, linear or spherical"),
        (["--out", "film.avi"], "a film is .gif, .webp or .mp4"),
        (["--rate", "0"], "0.1 to 100 pictures per second"),
        (["--rate", "60", "--out", "film.gif"], "a GIF shows 50"),
        (["--edit", "old=1"], "no direction 'old'"),
        (["--edit", "old"], "an edit must be NAME=1.5"),
    ],
)
def test_what_cannot_be_is_said(run: RunFolder, words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["interpolate", str(run.path), *words]) == 1
    assert message in capsys.readouterr().err


def test_a_refused_film_leaves_nothing(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GanvasError, match="writing the film"):
        ganvas.interpolate(run, "0-1", frames=1, out=tmp_path / "file" / "film.gif")
