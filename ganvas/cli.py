"""The command line. It parses and prints; what it does is in api.py.

Two stages: the command is found first, without importing torch or tyro, so that `ganvas --help` answers at once. Then
the command's own settings are parsed: for `train`, every field of the recipe.
"""

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, get_type_hints

from . import commands as folder
from .errors import GanvasError

HEAD = """\
ganvas: train, measure and use generative adversarial networks.

  ganvas train --data photos/ --minutes 30       a generator of your own pictures, in runs/auto
  ganvas train dcgan --data photos/              the same by a recipe; `ganvas recipes` lists them
  ganvas train --resume runs/auto                go on where a run stopped, exactly
  ganvas generate runs/auto --n 64 --out out/    samples as files
  ganvas evaluate runs/auto                      a score card
"""
FOOT = """\
`ganvas COMMAND --help` shows a command's settings; `ganvas train RECIPE --help` those of a recipe, every one of which can
be set: --medium.size 64 --optim.G.lr 1e-4. Without --data, recipes for images train on Fashion-MNIST, which comes with ganvas.
A run is a folder: report.html in it shows everything. `ganvas --version` prints the version.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0 on success, 1 on a failure that it explains, 2 on misuse, 130 when interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    commands = [found.name for found in pkgutil.iter_modules(folder.__path__)]
    if not words or words[0] in ("-h", "--help", "help"):
        print(help_text(commands), end="")
        return 0
    if words[0] == "--version":
        from .version import __version__

        print(__version__)
        return 0
    if words[0] not in commands:
        import difflib

        near = difflib.get_close_matches(words[0], commands, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the commands are {', '.join(commands)}"
        print(f"ganvas: there is no command {words[0]!r}: {hint}", file=sys.stderr)
        return 2
    try:
        return importlib.import_module(f"{folder.__name__}.{words[0]}").main(words[1:])
    except GanvasError as error:
        print(f"ganvas: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print(f"ganvas: {str(interrupt) or 'interrupted'}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or "out of memory" in str(error).lower() or "can't allocate memory" in str(error):
            way = ": a smaller --train.batch, more --train.parts, or a smaller --medium.size" if words[0] == "train" else ""
            print(f"ganvas: out of memory{way}", file=sys.stderr)
            return 1
        raise
    except SystemExit as stop:  # the parser's: it has said why
        return stop.code if isinstance(stop.code, int) else 2


def help_text(commands: list[str]) -> str:
    """All commands, each by the first line of its file."""
    about = {name: importlib.import_module(f"{folder.__name__}.{name}").__doc__ or "" for name in commands}
    return "\n".join([HEAD, *(f"  {name:<13}{text.splitlines()[0]}" for name, text in about.items()), "", FOOT])


# ---------------------------------------------------------------- parsing


def run_first(words: list[str], command: str, default: Any) -> tuple[Any, list[str]]:
    """(the run that a command names first, the rest); shows the command's help where it names none."""
    if not words or words[0].startswith("-"):
        if not any(word in ("-h", "--help") for word in words):
            print(f"ganvas: which run? ganvas {command} RUN …", file=sys.stderr)
            raise SystemExit(2)
        parse(type(default), default, ["--help"], f"ganvas {command} RUN")
    from .api import load

    return load(words[0]), words[1:]


def parse(kind: type[Any], default: Any, words: list[str], name: str) -> Any:
    """Read settings from words, by the fields of `default` and of every component inside it."""
    import tyro
    from tyro.constructors import ConstructorRegistry, StructConstructorSpec, StructFieldSpec, StructTypeInfo

    from .config import is_config

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
        from typing import Annotated

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
