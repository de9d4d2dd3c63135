"""Private runs as people ask for them: an epsilon, and of a table a file of public bounds."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from ..data import Rows
from ..data.tasks import recognise_table
from ..errors import GanvasError
from ..media import PublicTable, read_bounds, write_bounds_template
from ..recipe import Recipe
from ..recipes import find_recipe

TABLE_RECIPES = ("private_table", "private_table_sgd")  # the first one is the default
PICTURE_RECIPES = ("private_pictures",)


def choose_private_recipe(name: str | None, data: str | None, epsilon: float, bounds: str | None) -> Recipe:
    """The recipe for private rows of a table, with the bounds in a file, or for private pictures.

    Writes a file of bounds to fill in if there is none yet.

    Args:
        name: of the recipe that was asked for; None leaves it to the data.
        epsilon: how much anybody may learn of one row or picture; 1 is usual.
        bounds: a .toml file of public categories and bounds.

    Raises:
        GanvasError: another recipe, no data, no bounds of a table, or a file of bounds that was just written.
    """
    if data is None:
        raise GanvasError("--private takes tables (--data people.csv) and pictures (--data photos/): say where they are")
    rows = recognise_table(data)
    names = PICTURE_RECIPES if rows is None else TABLE_RECIPES
    if name not in (None, *names):
        raise GanvasError(
            f"--private trains {'pictures' if rows is None else 'tables'} by {' or '.join(names)} and not by {name}: leave the "
            "recipe out"
        )
    recipe = find_recipe(name or names[0])
    promise = replace(cast("Any", recipe.method), epsilon=epsilon)
    if rows is not None:
        return replace(recipe, method=promise, data=rows, medium=read_public_table(rows, bounds))
    if bounds is not None:
        raise GanvasError("--bounds describes the columns of a table, and pictures have none: leave it out")
    return replace(recipe, method=promise)


def read_public_table(rows: Rows, bounds: str | None) -> PublicTable:
    """The medium that a file of bounds describes. Raises GanvasError for none, or one that was just written."""
    if bounds is None:
        raise GanvasError(
            "--private needs public categories and bounds, because those of the data tell of people. "
            "--bounds NEW.toml writes a file to fill in"
        )
    if not Path(bounds).exists():
        items = rows.items(())
        write_bounds_template(bounds, items.surveys, items.title)
        raise GanvasError(
            f"{bounds} is new, and has the columns of {items.title.partition(' (')[0]} without a value of the data. Fill in "
            "public categories and bounds, then give the same command again"
        )
    medium = read_bounds(bounds)
    assert isinstance(medium, PublicTable)
    return medium
