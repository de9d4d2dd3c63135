"""list every recipe: what it makes, whose idea it is, what to expect"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .parsing import parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """List every recipe: what it makes, whose idea it is, what to expect of it.

    Example:
        ganvas recipes

    json: print JSON, for other programs.
    """

    json: bool = False


def main(argv: list[str]) -> int:
    arguments = parse_settings(Arguments, Arguments(), argv, "ganvas recipes")
    from ..recipes import list_recipes

    rows = [{"name": name} | parse_recipe_docstring(function) for name, function in list_recipes().items()]
    if arguments.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    width = max(len(row["name"]) for row in rows) + 2
    for row in rows:
        print(f"{row['name']:<{width}}{row['about']}")
        for part in ("paper", "expected"):
            if row[part]:
                print(f"{'':<{width}}{part}: {row[part]}")
    return 0


def parse_recipe_docstring(function: Callable[..., Any]) -> dict[str, str]:
    """A recipe's docstring as its parts."""
    lines = [line.strip() for line in (function.__doc__ or "").strip().splitlines()]
    sections = {"about": lines[0], "paper": "", "expected": ""}
    for line in lines[1:]:
        head, _, rest = line.partition(": ")
        if head.lower() in sections:
            sections[head.lower()] = rest
    return sections
