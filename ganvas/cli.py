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
from .errors import GanvasError

HELP_HEAD = """\
ganvas: train, measure and use generative adversarial networks.

  ganvas train --data photos/ --minutes 30       a generator of your own pictures, in runs/auto
  ganvas train dcgan --data photos/              the same by a recipe; `ganvas recipes` lists them
  ganvas train --resume runs/auto                go on where a run stopped, exactly
  ganvas generate runs/auto --n 64 --out out/    samples as files
  ganvas evaluate runs/auto                      a score card
"""
HELP_FOOT = """\
`ganvas COMMAND --help` shows a command's settings; `ganvas train RECIPE --help` those of a recipe, every one of which can
be set: --medium.size 64 --optim.G.lr 1e-4. Without --data, recipes for images train on Fashion-MNIST, which comes with ganvas.
A run is a folder: report.html in it shows everything. `ganvas --version` prints the version.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0 on success, 1 on a failure that it explains, 2 on misuse, 130 when interrupted."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    if isinstance(sys.stdout, TextIOWrapper):  # paths, and letters that a terminal lacks, are no reason to fail
        sys.stdout.reconfigure(errors="backslashreplace")
    commands = command_modules()
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
            advice = (
                ": a smaller --train.batch, more --train.accumulate, or a smaller --medium.size" if argv[0] == "train" else ""
            )
            print(f"ganvas: out of memory{advice}", file=sys.stderr)
            return 1
        raise
    except SystemExit as stop:  # the parser's: it has said why
        return stop.code if isinstance(stop.code, int) else 2


def command_modules() -> dict[str, Any]:
    """The files of `commands/` that carry a command out, by name."""
    modules = {
        found.name: importlib.import_module(f"{folder.__name__}.{found.name}") for found in iter_modules(folder.__path__)
    }
    return {name: module for name, module in modules.items() if hasattr(module, "main")}


def format_help(commands: Mapping[str, Any]) -> str:
    """All commands, each by the first line of its file."""
    docstrings = {name: module.__doc__ or "" for name, module in commands.items()}
    return "\n".join([HELP_HEAD, *(f"  {name:<13}{text.splitlines()[0]}" for name, text in docstrings.items()), "", HELP_FOOT])
