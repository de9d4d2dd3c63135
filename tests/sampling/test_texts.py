"""Samples of texts: a run on captions, from the command line to the pictures' metadata."""

import json
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import ganvas
from ganvas import cli
from ganvas.data import Captioned, Columns
from ganvas.latent.interpolation import interpolate
from ganvas.media import Captions, Image, TextCondition
from ganvas.recipes import find_recipe
from ganvas.runs.folder import RunFolder
from ganvas.sampling.generator import open_sampler
from ganvas.sampling.texts import MAX_TEXTS
from hashed_words import HashedWords
from small_recipes import small

COLOURS = {"red": (220, 30, 30), "green": (30, 160, 60), "blue": (40, 60, 220)}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Trained for a few steps on squares with captions: some have two."""
    folder = tmp_path_factory.mktemp("captions")
    rows = list[dict[str, object]]()
    for k in range(48):
        colour = list(COLOURS)[k % 3]
        pixels = np.full((32, 32, 3), 255, np.uint8)
        pixels[4 : 20 + k % 8, 4 : 20 + k % 8] = COLOURS[colour]
        Pillow.fromarray(pixels).save(folder / f"{k}.png")
        rows.append({"file_name": f"{k}.png", "text": f"a {colour} square number {k}"})
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    recipe = small(find_recipe("text2image"), samples=32, snapshots=1)
    media = {"x": Image(size=16), "text": Captions(encoder=HashedWords())}
    evaluation = replace(recipe.evaluation, samples=20, snapshot_samples=8)
    recipe = replace(recipe, data=Captioned(path=str(folder)), medium=Columns(media=media), evaluation=evaluation)
    return ganvas.train(recipe, out=folder / "run", quiet=True)


def read_picture(path: Path) -> tuple[np.ndarray, dict[str, str]]:
    """(pixels, the texts in a file)."""
    with Pillow.open(path) as picture:
        return np.asarray(picture), {str(name): str(text) for name, text in picture.info.items()}


def read_description(path: Path) -> str:
    return read_picture(path)[1]["Description"]


def test_a_wished_text_is_in_each_file(run: RunFolder, tmp_path: Path) -> None:
    assert cli.main(["generate", str(run.path), "--text", "a red square", "--n", "3", "--out", str(tmp_path)]) == 0
    files = sorted(tmp_path.glob("*.png"))
    assert [read_description(file) for file in files] == ["a red square"] * 3
    assert "text a red square" in read_picture(files[0])[1]["Source"]


def test_without_a_wish_each_sample_has_the_caption_that_it_was_made_of(run: RunFolder, tmp_path: Path) -> None:
    assert cli.main(["generate", str(run.path), "--n", "5", "--out", str(tmp_path)]) == 0
    captions = [read_description(file) for file in sorted(tmp_path.glob("*.png"))]
    condition = run.read_spec().conditions["text"]
    assert isinstance(condition, TextCondition)
    assert set(captions) <= set(condition.examples)
    sampler = open_sampler(run)
    first = next(iter(sampler.stream_blocks(5)))
    wished = sampler.request_conditions({"text": captions[0]})
    assert torch.equal(next(iter(wished.stream_blocks(5))).stored[0], first.stored[0])


def test_only_the_text_makes_samples_of_several_texts_differ(run: RunFolder, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("a red square\n\n  a blue square  \na red square\n", encoding="utf-8-sig")
    words = ["generate", str(run.path), "--texts", str(prompts), "--n", "2"]
    assert cli.main([*words, "--out", str(tmp_path / "files")]) == 0
    files = sorted((tmp_path / "files").glob("*.png"))
    assert [read_description(file) for file in files] == ["a red square"] * 2 + ["a blue square"] * 2 + ["a red square"] * 2
    pixels = [read_picture(file)[0] for file in files]
    assert np.array_equal(pixels[0], pixels[4])
    assert np.array_equal(pixels[1], pixels[5])
    assert cli.main([*words, "--grid", "--out", str(tmp_path / "sheet.png")]) == 0
    assert len(read_picture(tmp_path / "sheet.png")[0]) > 3 * 128  # a row and a line for each text
    assert cli.main([*words, "--format", "zip", "--out", str(tmp_path / "zip")]) == 0
    assert cli.main([*words, "--format", "npy", "--out", str(tmp_path / "npy")]) == 0
    assert np.array_equal(np.load(tmp_path / "npy" / "samples.npy"), np.stack(pixels))


def test_a_path_from_text_to_text_ends_at_both(run: RunFolder) -> None:
    pictures = interpolate(run, "3", texts=("a red square", "a blue square"), frames=3, loop=False)
    ends = [open_sampler(run, conditions={"text": text}) for text in ("a red square", "a blue square")]
    stored = [next(iter(sampler.stream_seeds([3])))[0].numpy() for sampler in ends]
    for picture, end in zip((pictures[0], pictures[-1]), stored, strict=True):
        assert np.array_equal(np.asarray(picture.resize((16, 16), Pillow.Resampling.NEAREST)), end)
    assert len(pictures) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--text", " "], "has no words"),
        (["--texts", "missing.txt"], "cannot be read"),
        (["--texts", "PROMPTS", "--text", "a hat"], "goes without --text"),
        (["--texts", "PROMPTS", "--seeds", "1"], "goes without"),
    ],
)
def test_bad_texts_are_refused(
    words: list[str], message: str, run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prompts.txt").write_text("a hat\n")
    words = [str(tmp_path / "prompts.txt") if word == "PROMPTS" else word for word in words]
    assert cli.main(["generate", str(run.path), *words, "--out", str(tmp_path / "out")]) == 1
    assert message in capsys.readouterr().err


def test_a_file_of_prompts_is_bounded(run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prompts = tmp_path / "prompts.txt"
    for content in (b"", b"\xff\xfe", b"word\n" * (MAX_TEXTS + 1), b"x" * (2**20 + 1)):
        prompts.write_bytes(content)
        assert cli.main(["generate", str(run.path), "--texts", str(prompts), "--out", str(tmp_path / "out")]) == 1
        assert str(prompts) in capsys.readouterr().err


def test_paths_need_two_texts_and_as_many_seeds(run: RunFolder) -> None:
    with pytest.raises(ganvas.GanvasError, match="from one text to another"):
        interpolate(run, texts=("a hat",))
    with pytest.raises(ganvas.GanvasError, match="one seed for all texts"):
        interpolate(run, "0-2", texts=("a hat", "a coat"))


def test_an_exported_generator_makes_its_texts_without_ganvas(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("a red square\na blue square\n")
    words = ["export", str(run.path), "--texts", str(tmp_path / "prompts.txt"), "--out", str(tmp_path / "model")]
    assert cli.main(words) == 0
    loader = load_module(tmp_path / "model" / "load.py")
    generator = loader.Generator(tmp_path / "model")
    latents = generator.draw_latents(2, text=generator.read_texts(["a blue square"] * 2))
    sampler = open_sampler(run, conditions={"text": "a blue square"})
    with torch.no_grad():
        own = sampler.method.render(sampler.nets, {**latents, "text": sampler.request.conditions["text"].expand(2, -1, -1)})
    assert torch.allclose(generator(**latents), own, atol=0.02)  # texts are exported in 16 bits
    assert generator(**generator.draw_latents(3)).shape == (3, 3, 16, 16)
    with pytest.raises(ValueError, match="'a hat' was not exported"):
        generator.read_texts(["a hat"])


def load_module(path: Path) -> Any:
    spec = spec_from_file_location("exported_load", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
