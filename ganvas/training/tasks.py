"""The task follows from the data, if no recipe is named: pictures, captions, pairs, two kinds, or pictures to restore."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from ..core import Medium, seeded_generator
from ..data import Columns, DescribedPictures, Lines, Windows
from ..data.described_pictures import COLUMNS, IMAGE
from ..data.lines import is_text_path
from ..data.tasks import Task, recognise_captions, recognise_table, recognise_task
from ..errors import GanvasError
from ..media import Degraded, Image, PublicTable, Table, TableModes, parse_degradation
from ..media.degradations import Degradation, degrade
from ..nets import SRVGG, ImageToImage
from ..recipe import Recipe
from ..recipes import find_recipe
from ..recipes.choosing.by_parts import drop_idle_critics

DEFAULT_RECIPES = {
    "plain": "auto",
    "captioned": "text2image",
    "paired": "translator",
    "unpaired": "unpaired_translator",
    "table": "table",
    "lines": "letters",
}
PROBE_SIDE = 64  # px of a blank picture that shows what a degradation makes


def choose_recipe(data: str | Path | None, degradation: str | None = None) -> tuple[Recipe, str]:
    """(The default recipe for this data, a sentence on what the data is; "" for samples of one kind).

    Raises:
        GanvasError: a side without pictures, pairs that do not fit, pictures without captions, or an unknown degradation.
    """
    if degradation is not None:
        recipe = choose_restoring_recipe(parse_degradation(degradation))
        return degrade_pictures(
            recipe, degradation
        ), f"restoration by {recipe.name}: sources are the pictures after {degradation}"
    if data is not None and (captioned := recognise_captions(str(data), Image().suffixes)) is not None:
        recipe = replace(find_recipe(DEFAULT_RECIPES["captioned"]), data=captioned.source)
        return recipe, f"text to image: {captioned.sentence}"
    if data is not None and (rows := recognise_table(str(data))) is not None:
        return replace(find_recipe(DEFAULT_RECIPES["table"]), data=rows), ""
    if data is not None and is_text_path(str(data)):
        return replace(find_recipe(DEFAULT_RECIPES["lines"]), data=Lines(path=str(data))), ""
    if data is None or not _may_have_sides(Path(data).expanduser()):
        return find_recipe(DEFAULT_RECIPES["plain"]), ""
    task = recognise_task(str(data), Image().suffixes)
    if task.kind == "plain":
        return find_recipe(DEFAULT_RECIPES["plain"]), ""
    return replace(choose_translating_recipe(task), data=task.source), f"translation: {task.sentence}{_advise(task, data)}"


def cut_into_windows(recipe: Recipe, window: int | None, key: str | None, time: str | None) -> Recipe:
    """The recipe on windows of series. Raises GanvasError for a recipe of other samples."""
    if not isinstance(recipe.data, Windows):
        raise GanvasError(
            f"window, key and time are for time series, and {recipe.name} is not: leave it out, or take the recipe series"
        )
    window = recipe.data.window if window is None else window
    return replace(recipe, data=replace(recipe.data, window=window, key=key or recipe.data.key, time=time or recipe.data.time))


def choose_parts(recipe: Recipe, names: str | Sequence[str]) -> Recipe:
    """The recipe for these columns of described pictures, which it makes at once: "image,class".

    Raises:
        GanvasError: a recipe of other samples, an unknown column, or fewer than two.
    """
    columns = tuple(name.strip() for name in (names.split(",") if isinstance(names, str) else names))
    if not isinstance(recipe.data, DescribedPictures):
        raise GanvasError(f"{recipe.name} makes one thing at a time: leave --together out, or take the recipe together")
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown or len(set(columns)) < 2 or len(set(columns)) < len(columns):
        fault = f"and {unknown[0]!r} is none" if unknown else "two or more, each once"
        raise GanvasError(f"--together names columns to make at once, {fault}: take some of {', '.join(COLUMNS)}, with commas")
    has_picture = IMAGE in columns
    source = replace(recipe.data, columns=columns)
    return replace(drop_idle_critics(recipe, has_picture, has_words=len(columns) > has_picture), data=source)


def choose_columns(
    recipe: Recipe,
    target: str | None,
    window: int | None,
    key: str | None,
    time: str | None,
    together: str | Sequence[str] | None = None,
) -> Recipe:
    """The recipe with what is said of columns: those to make at once, that which scores predict, those that order a series."""
    if together:
        recipe = choose_parts(recipe, together)
    if any((window, key, time)):
        recipe = cut_into_windows(recipe, window, key, time)
    return recipe if target is None else choose_target_column(recipe, target)


def choose_target_column(recipe: Recipe, target: str) -> Recipe:
    """The recipe with the column that scores predict. Raises GanvasError for a recipe of other samples."""
    match recipe.medium:
        case Table() | PublicTable():
            return replace(recipe, medium=replace(recipe.medium, target=target))
        case TableModes():
            return replace(recipe, medium=replace(recipe.medium, table=replace(recipe.medium.table, target=target)))
        case _:
            raise GanvasError(f"a target is a column of a table, and {recipe.name} makes other samples: leave it out")


def choose_translating_recipe(task: Task) -> Recipe:
    """The default recipe for pairs or two kinds of pictures."""
    if task.scale > 1:
        return choose_enlarging_recipe(round(task.scale))
    return find_recipe("spade_small" if task.has_label_maps else DEFAULT_RECIPES[task.kind])


def _advise(task: Task, data: str | Path) -> str:
    """What else the data may be meant for, if its kind of pairs does not say for sure."""
    if task.is_joined:
        return f". If each picture is one sample as a whole, name the recipe: ganvas train auto --data {data}"
    if task.has_label_maps:
        return f". If the sources are drawings of few colours, name the recipe: ganvas train translator --data {data}"
    if task.scale < 1:
        return ". They are shrunk to the size of the targets. To learn to enlarge, exchange A and B"
    return ""


def choose_enlarging_recipe(scale: int) -> Recipe:
    """The default recipe for pairs of small pictures with large ones."""
    recipe = scale_recipe(scale)
    picture = _find_pictures(recipe.medium)
    return replace(recipe, medium=Columns(media={"x": picture, "source": picture}))


def scale_recipe(scale: int) -> Recipe:
    """The default recipe to make pictures `scale` times larger."""
    recipe = find_recipe("srresnet_small")
    assert isinstance(recipe.nets, ImageToImage)
    assert isinstance(recipe.nets.generator, SRVGG)
    return replace(recipe, nets=replace(recipe.nets, generator=replace(recipe.nets.generator, scale=scale)))


def choose_restoring_recipe(by: tuple[Degradation, ...]) -> Recipe:
    """The default recipe to undo degradations: it follows from what they make of a picture."""
    columns = degrade(torch.zeros(1, 3, PROBE_SIDE, PROBE_SIDE), by, seeded_generator("probe"), 255)
    _, channels, side, _ = columns["source"].shape
    if "mask" in columns:
        return find_recipe("inpaint_small")
    if channels == 1:
        return find_recipe("colourise")
    if side == PROBE_SIDE:
        return find_recipe("restore")
    return scale_recipe(PROBE_SIDE // side)


def _may_have_sides(path: Path) -> bool:
    return path.is_dir() or (path.is_file() and path.suffix.lower() in (".zip", ".csv"))


def degrade_pictures(recipe: Recipe, degradation: str) -> Recipe:
    """The recipe with sources that are made from its pictures. Raises GanvasError for a medium that is no picture."""
    return replace(recipe, medium=Degraded(medium=_find_pictures(recipe.medium), by=parse_degradation(degradation)))


def _find_pictures(medium: Medium) -> Image:
    if isinstance(medium, Degraded):
        return medium.medium
    picture = medium.media["x"] if isinstance(medium, Columns) else medium
    if not isinstance(picture, Image):
        raise GanvasError("--degrade takes pictures: choose a recipe for pictures, or leave it out")
    return picture
