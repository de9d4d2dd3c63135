"""From the words of a command line to settings: every field of a recipe, and of each component inside it."""

import inspect
import re
import sys
from dataclasses import fields
from typing import Annotated, Any, get_type_hints

VALUE_NAMES = {  # what help calls a value
    str: "TEXT",
    str | None: "TEXT",
    int | None: "INT",
    float | None: "FLOAT",
    tuple[str, ...]: "[TEXT [TEXT ...]]",
}


def load_named_run(argv: list[str], command: str, default: Any) -> tuple[Any, list[str]]:
    """(the run that a command names first, the rest); shows the command's help where it names none."""
    if not argv or argv[0].startswith("-"):
        if not any(word in ("-h", "--help") for word in argv):
            print(f"ganvas: which run? ganvas {command} RUN …", file=sys.stderr)
            raise SystemExit(2)
        parse_settings(type(default), default, ["--help"], f"ganvas {command} RUN")
    from ..api import load

    return load(argv[0]), argv[1:]


def parse_settings(kind: type[Any], default: Any, argv: list[str], program: str) -> Any:
    """Read settings from words, by the fields of `default` and of every component inside it."""
    import tyro
    from tyro.constructors import ConstructorRegistry, StructConstructorSpec, StructFieldSpec, StructTypeInfo

    from ..configuration import is_config

    registry = ConstructorRegistry()

    @registry.struct_rule
    def build_struct_spec(
        info: StructTypeInfo,
    ) -> StructConstructorSpec | None:  # fields typed by a protocol are parsed as what they hold
        if not (is_config(info.default) or isinstance(info.default, kind)):
            return None
        cls = type(info.default)
        hints, help_texts = get_type_hints(cls), collect_field_help(cls)
        field_specs = [
            StructFieldSpec(
                f.name,
                annotate_field(f.name, hints[f.name], getattr(info.default, f.name)),
                getattr(info.default, f.name),
                help_texts.get(f.name),
            )
            for f in sorted(fields(cls), key=lambda f: f.name not in cls.__annotations__)  # what it inherits comes last
        ]
        return StructConstructorSpec(cls, tuple(field_specs))

    def annotate_field(field: str, hint: Any, default: Any) -> Any:
        if field == "recipe":
            return Annotated[hint, tyro.conf.arg(name="")]
        if field in ("name", "start"):
            return Annotated[hint, tyro.conf.Suppress]
        if hint in VALUE_NAMES:  # help that says neither "{None}|STR" nor "(default: None)"
            name, about_default = "from" if field == "source" else None, "" if default in (None, ()) else None
            return Annotated[hint, tyro.conf.arg(name=name, metavar=VALUE_NAMES[hint], help_behavior_hint=about_default)]
        return hint

    return tyro.cli(
        kind,
        args=argv,
        default=default,
        prog=program,
        registry=registry,
        description=inspect.cleandoc(kind.__doc__ or "").rpartition("\n\n")[0],  # the last paragraph lists the fields
        config=(tyro.conf.AvoidSubcommands, tyro.conf.SuppressFixed),  # a part that may be left out is as the recipe has it
    )


def collect_field_help(cls: type) -> dict[str, str]:
    """What is said of a class's fields, and of those it inherits."""
    help_texts: dict[str, str] = {}
    for owner in reversed(cls.__mro__[:-1]):
        help_texts |= read_class_help(owner)
    return help_texts


def read_class_help(cls: type) -> dict[str, str]:
    """What is said of a class's own fields: by comments behind them, or by `field: what it is` lines in its docstring."""
    comments = re.findall(r"^ {4}(\w+): [^#\n]*# (.*)$", inspect.getsource(cls), re.MULTILINE)
    help_texts: dict[str, str] = dict(comments)
    last_field = ""
    for line in (cls.__doc__ or "").splitlines()[1:]:
        head, colon, rest = line.strip().partition(": ")
        if colon and head.isidentifier():
            help_texts[head], last_field = rest, head
        elif last_field and line.strip():
            help_texts[last_field] += " " + line.strip()
        else:
            last_field = ""
    return help_texts
