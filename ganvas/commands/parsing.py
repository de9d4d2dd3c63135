"""From the words of a command line to settings: every field of a recipe, and of each component inside it."""

import inspect
import re
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Annotated, Any, get_type_hints

from ..errors import GanvasError, SettingError

VALUE_NAMES = {  # what help calls a value
    str: "TEXT",
    str | None: "TEXT",
    int | None: "INT",
    int | str | None: "INT|TEXT",
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
        if field == "sources":  # once for each
            arg = tyro.conf.arg(name="with", metavar="NAME=FILE", help_behavior_hint="")
            return Annotated[hint, arg, tyro.conf.UseAppendAction]
        if field in ("where", "conditions"):  # once for each
            metavar = "COLUMN=VALUE" if field == "where" else "NAME=VALUE"
            arg = tyro.conf.arg(metavar=metavar, help_behavior_hint="")
            return Annotated[hint, arg, tyro.conf.UseAppendAction]
        if hint in VALUE_NAMES:  # help that says neither "{None}|STR" nor "(default: None)"
            name, about_default = "from" if field == "source" else None, "" if default in (None, ()) else None
            return Annotated[hint, tyro.conf.arg(name=name, metavar=VALUE_NAMES[hint], help_behavior_hint=about_default)]
        return hint

    with name_typed_flags(argv):
        return tyro.cli(
            kind,
            args=argv,
            default=default,
            prog=program,
            registry=registry,
            description=inspect.cleandoc(kind.__doc__ or "").rpartition("\n\n")[0],  # the last paragraph lists the fields
            config=(tyro.conf.AvoidSubcommands, tyro.conf.SuppressFixed),  # a part that may be left out is as the recipe has it
        )


@contextmanager
def name_typed_flags(argv: Sequence[str]) -> Generator[None]:
    """Put the flag that set a wrong field in front of the error: a component knows its field, the command line the path."""
    try:
        yield
    except SettingError as error:
        flag = find_typed_flag(argv, error.field, error.value)
        raise GanvasError(f"{flag}: {error}" if flag else str(error)) from error


def find_typed_flag(argv: Sequence[str], field: str, value: object) -> str | None:
    """The flag whose last dotted part is the field; of several, the first that was given this value. None: no such flag."""
    matches = [(flag, words) for flag, words in split_flags(argv) if read_field_name(flag) == field]
    if len(matches) > 1:
        matches = [(flag, words) for flag, words in matches if is_same_value(words, value)]
    return matches[0][0] if matches else None


def split_flags(argv: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The typed flags, each with the words that follow it: --size 8 or --size=8."""
    flags: list[tuple[str, list[str]]] = []
    for word in argv:
        if word.startswith("--"):
            flag, has_value, first = word.partition("=")
            flags.append((flag, [first] if has_value else []))
        elif flags:
            flags[-1][1].append(word)
    return flags


def read_field_name(flag: str) -> str:
    """ "d_width" of --nets.d-width."""
    return flag.removeprefix("--").rpartition(".")[2].replace("-", "_")


def is_same_value(words: Sequence[str], value: object) -> bool:
    """Whether words such as "-1" are a field's value, such as -1.0; a tuple takes several words."""
    values = value if isinstance(value, (tuple, list)) else (value,)
    return [read_scalar(word) for word in words] == list(values)


def read_scalar(word: str) -> float | str:
    """A word as a number, if it is one."""
    try:
        return float(word)
    except ValueError:
        return word


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
