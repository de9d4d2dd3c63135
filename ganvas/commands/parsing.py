"""From the words of a command line to settings: every field of a recipe, and of each component inside it."""

import inspect
import re
import sys
from dataclasses import fields
from typing import Annotated, Any, get_type_hints


def run_first(words: list[str], command: str, default: Any) -> tuple[Any, list[str]]:
    """(the run that a command names first, the rest); shows the command's help where it names none."""
    if not words or words[0].startswith("-"):
        if not any(word in ("-h", "--help") for word in words):
            print(f"ganvas: which run? ganvas {command} RUN …", file=sys.stderr)
            raise SystemExit(2)
        parse(type(default), default, ["--help"], f"ganvas {command} RUN")
    from ..api import load

    return load(words[0]), words[1:]


def parse(kind: type[Any], default: Any, words: list[str], name: str) -> Any:
    """Read settings from words, by the fields of `default` and of every component inside it."""
    import tyro
    from tyro.constructors import ConstructorRegistry, StructConstructorSpec, StructFieldSpec, StructTypeInfo

    from ..config import is_config

    registry = ConstructorRegistry()

    @registry.struct_rule
    def component(
        info: StructTypeInfo,
    ) -> StructConstructorSpec | None:  # fields typed by a protocol are parsed as what they hold
        if not (is_config(info.default) or isinstance(info.default, kind)):
            return None
        cls = type(info.default)
        hints, help_texts = get_type_hints(cls), field_help(cls)
        parts = [
            StructFieldSpec(f.name, annotate(f.name, hints[f.name]), getattr(info.default, f.name), help_texts.get(f.name))
            for f in sorted(fields(cls), key=lambda f: f.name not in cls.__annotations__)  # what it inherits comes last
        ]
        return StructConstructorSpec(cls, tuple(parts))

    def annotate(field: str, hint: Any) -> Any:
        if field == "recipe":
            return Annotated[hint, tyro.conf.arg(name="")]
        if field == "source":
            return Annotated[hint, tyro.conf.arg(name="from")]
        return Annotated[hint, tyro.conf.Suppress] if field in ("name", "start") else hint

    return tyro.cli(
        kind,
        args=words,
        default=default,
        prog=name,
        registry=registry,
        description=(kind.__doc__ or "").partition("\n")[0],
        config=(tyro.conf.AvoidSubcommands, tyro.conf.SuppressFixed),  # a part that may be left out is as the recipe has it
    )


def field_help(cls: type) -> dict[str, str]:
    """What is said of a class's fields, and of those it inherits."""
    found: dict[str, str] = {}
    for owner in reversed(cls.__mro__[:-1]):
        found |= own_help(owner)
    return found


def own_help(cls: type) -> dict[str, str]:
    """What is said of a class's own fields: by comments behind them, or by `field: what it is` lines in its docstring."""
    comments = re.findall(r"^ {4}(\w+): [^#\n]*# (.*)$", inspect.getsource(cls), re.MULTILINE)
    found: dict[str, str] = dict(comments)
    last = ""
    for line in (cls.__doc__ or "").splitlines()[1:]:
        head, colon, rest = line.strip().partition(": ")
        if colon and head.isidentifier():
            found[head], last = rest, head
        elif last and line.strip():
            found[last] += " " + line.strip()
        else:
            last = ""
    return found
