"""The command line. It parses and prints; what it does is in api.py.

Two stages: the command is found first, without importing torch or tyro, so that `ganvas --help` answers at once. Then
the command's own settings are parsed: for `train`, every field of the recipe.
"""

import importlib
import sys
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from pkgutil import iter_modules
from typing import Any

from . import commands as folder
from .commands.parsing import name_typed_flags
from .configuration import allow_components
from .errors import GanvasError

HELP_HEAD = """\
ganvas trains generative adversarial networks (GANs): networks that make new samples like yours.

  ganvas train --data photos/ --minutes 30       learn from a folder of pictures; the result is the folder runs/auto
  ganvas generate runs/auto --n 64 --out out/    write 64 new pictures
  ganvas evaluate runs/auto                      print how good they are
  ganvas train --resume runs/auto --minutes 60   go on learning, to 60 minutes in all
  ganvas train dcgan_small --data photos/        learn by another recipe
"""
HELP_FOOT = """\
`ganvas COMMAND --help` explains a command. `ganvas train RECIPE --help` shows every setting of a recipe, such as
--medium.size 64 or --optim.G.lr 1e-4. Without --data, recipes for images train on clothes that come with ganvas.
A run is a folder: open its report.html first. `ganvas --version` prints the version.
`ganvas train PACKAGE.MODULE:FUNCTION` trains a recipe of your own. `--components PACKAGE` lets a run use the losses, networks
and metrics of a package.
"""
COMMAND_GROUPS = {  # the order of the help; a command that is in none comes last
    "Train": ("train", "recipes"),
    "Use": ("generate", "translate", "interpolate", "directions", "project", "mix", "augment", "blend", "prefer"),
    "Check": ("evaluate", "compare", "nearest", "attack"),
    "Exchange": ("convert", "export"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0 on success, 1 on a failure that it explains, 2 on misuse, 130 when interrupted."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, TextIOWrapper):  # paths, and letters that a terminal lacks, are no reason to fail
        sys.stdout.reconfigure(errors="backslashreplace")
    commands, components = command_modules(), take_components(argv)
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(format_help(commands), end="")
        return 0
    if argv[0] == "--version":
        from .version import __version__

        print(__version__)
        return 0
    if argv[0] not in commands:
        import difflib

        similar_names = difflib.get_close_matches(argv[0], commands, n=1)
        hint = f"did you mean {similar_names[0]}?" if similar_names else f"the commands are {', '.join(commands)}"
        print(f"ganvas: there is no command {argv[0]!r}: {hint}", file=sys.stderr)
        return 2
    try:
        allow_components(components)
        with name_typed_flags(argv):
            return commands[argv[0]].main(argv[1:])
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
            settings = "a smaller --train.batch, a larger --train.accumulate, or a smaller --medium.size"
            advice = f": try {settings}" if argv[0] == "train" else ""
            print(f"ganvas: out of memory{advice}", file=sys.stderr)
            return 1
        raise
    except SystemExit as stop:  # the parser's: it has said why
        return stop.code if isinstance(stop.code, int) else 2


def take_components(argv: list[str]) -> list[str]:
    """Take `--components NAME,NAME` out of a command line: packages whose losses, networks and the like runs may use."""
    names: list[str] = []
    while (k := next((k for k, word in enumerate(argv) if word.partition("=")[0] == "--components"), None)) is not None:
        word = argv.pop(k)
        value = word.partition("=")[2] or (argv.pop(k) if k < len(argv) else "")
        names += value.split(",")
    return names


def command_modules() -> dict[str, Any]:
    """The files of `commands/` that carry a command out, by name."""
    modules = {
        found.name: importlib.import_module(f"{folder.__name__}.{found.name}") for found in iter_modules(folder.__path__)
    }
    return {name: module for name, module in modules.items() if hasattr(module, "main")}


def format_help(commands: Mapping[str, Any]) -> str:
    """All commands in groups, each with the first line of its file."""
    grouped = {name for names in COMMAND_GROUPS.values() for name in names}
    groups = {**COMMAND_GROUPS, "More": tuple(name for name in commands if name not in grouped)}
    lines = [HELP_HEAD]
    for title, names in groups.items():
        rows = [f"  {name:<13}{(commands[name].__doc__ or '').splitlines()[0]}" for name in names if name in commands]
        lines += [f"{title}:", *rows, ""] if rows else []
    return "\n".join([*lines, HELP_FOOT])
