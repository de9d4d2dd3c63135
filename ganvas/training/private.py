"""Private runs as people ask for them: an epsilon, and a file of public bounds."""

from dataclasses import replace
from pathlib import Path

from ..data.tasks import recognise_table
from ..errors import GanvasError
from ..media import PublicTable, read_bounds, write_bounds_template
from ..methods import PairMatching
from ..recipe import Recipe
from ..recipes import find_recipe

PRIVATE_RECIPE = "private_table"


def choose_private_recipe(name: str | None, data: str | None, epsilon: float, bounds: str | None) -> Recipe:
    """The recipe for private rows of a table, with the bounds in a file. Writes a file to fill in if there is none yet.

    Args:
        name: of the recipe that was asked for; None leaves it to the data.
        epsilon: how much anybody may learn of one row; 1 is usual.
        bounds: a .toml file of public categories and bounds.

    Raises:
        GanvasError: another recipe, data that are no table, no bounds, or a file of bounds that was just written.
    """
    if name not in (None, PRIVATE_RECIPE):
        raise GanvasError(f"--private trains tables by {PRIVATE_RECIPE} and not by {name}: leave the recipe out")
    rows = recognise_table(data) if data is not None else None
    if rows is None:
        raise GanvasError(f"--private takes tables (--data people.csv), and {data or 'no data'} is none")
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
    recipe = find_recipe(PRIVATE_RECIPE)
    assert isinstance(recipe.method, PairMatching)
    return replace(recipe, data=rows, medium=medium, method=replace(recipe.method, epsilon=epsilon))
