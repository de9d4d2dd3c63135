"""A chooser may change what a sample is: the run then reads its data again, and remembers what was asked for."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ganvas import api, recipes
from ganvas.configuration import config
from ganvas.core import format_shape
from ganvas.data import Files
from ganvas.media import Image
from ganvas.recipe import Facts, Recipe, Trial
from small_recipes import small
from trained_runs import DATA


@config
class Enlarge:
    """Wants pictures of 16 px."""

    def __call__(self, requested: Recipe, facts: Facts, attempt: Callable[[Recipe], Trial]) -> tuple[Recipe, list[str]]:
        return replace(requested, medium=Image(pixels=256)), [f"asked at {facts.spec.shape[1]} px"]


def test_a_chooser_can_enlarge_the_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = replace(small(recipes.find_recipe("auto"), samples=32), medium=Image(pixels=64), data=Files(path=DATA))
    recipe = replace(recipe, choose=Enlarge(), evaluation=replace(recipe.evaluation, samples=60, snapshot_samples=20))
    run = api.train(recipe, out=tmp_path / "run")
    said = capsys.readouterr().err
    assert said.index("asked at 8 px") < said.index("asked at 16 px")
    assert run.read_spec().shape == (1, 16, 16)
    assert run.generate(2).shape[1:3] == (16, 16)
    assert (run.requested.medium, run.recipe.medium) == (Image(pixels=64), Image(pixels=256))
    again = api.train(replace(recipe, train=replace(recipe.train, samples=48)), out=tmp_path / "run", quiet=True)
    assert again.checkpoints[-1].name == f"{48:09d}"
    assert again.read_spec().shape == (1, 16, 16)


def test_shapes_are_said_as_sizes_or_as_a_count() -> None:
    assert [format_shape(shape) for shape in ((3, 64, 96), (48, 7), (12_410,))] == ["3 x 64 x 96", "48 x 7", "12,410 numbers"]
