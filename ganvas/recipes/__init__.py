"""Known-good runs: one file per family, one function per recipe, which has the recipe's name.

A recipe's docstring says in its first line what it is, then `Paper:` and `Expected:` (measured here; docs/results.md).
"""

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Callable

from ..configuration import import_named
from ..errors import GanvasError
from ..recipe import Recipe
from .choosing import ByBudget, ByParts, BySize

__all__ = ["ByBudget", "ByParts", "BySize", "find_recipe", "list_recipes"]


def list_recipes() -> dict[str, Callable[[], Recipe]]:
    """All recipes by name, found in this folder's files."""
    recipes: dict[str, Callable[[], Recipe]] = {}
    for module in pkgutil.iter_modules(__path__):
        for name, function in vars(importlib.import_module(f"{__name__}.{module.name}")).items():
            hints = getattr(function, "__annotations__", {})
            if inspect.isfunction(function) and hints.get("return") is Recipe and not name.startswith("_"):
                recipes[name] = function
    return dict(sorted(recipes.items()))


def find_recipe(name: str) -> Recipe:
    """The recipe called `name`, or "package.module:function" of another package. Raises GanvasError if there is none."""
    recipes = list_recipes()
    if ":" in name:
        return _import_recipe(name)
    if name in recipes:
        return recipes[name]()
    close_names = difflib.get_close_matches(name, recipes, n=3, cutoff=0.5)
    raise GanvasError(
        f"there is no recipe {name!r}: {'did you mean ' + ' or '.join(close_names) if close_names else 'see'} (ganvas recipes)"
    )


def _import_recipe(name: str) -> Recipe:
    """The recipe that a function elsewhere returns: "package.module:function"."""
    module, _, function = name.partition(":")
    build = getattr(import_named(module), function, None)
    recipe = build() if callable(build) else None
    if not isinstance(recipe, Recipe):
        raise GanvasError(f"{name} is no function that returns a ganvas Recipe: correct the name, or its last line")
    return recipe
