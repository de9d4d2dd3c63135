"""set several runs side by side, in a table and a picture"""

import json
import sys
from dataclasses import dataclass
from itertools import takewhile

from ..errors import GanvasError
from .parsing import parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Set runs side by side: what each cost and scored, best first, and a picture of their samples.

    Only scores of the same protocol are ranked. If protocols differ, the command says how to score the runs alike.

    Example:
        ganvas compare runs/auto runs/dcgan_small

    out: the picture to write, a PNG with a column of samples for each run.
    json: print JSON, for other programs.
    """

    out: str = "compare.png"
    json: bool = False


def main(argv: list[str]) -> int:
    paths = list(takewhile(lambda word: not word.startswith("-"), argv))
    arguments = parse_settings(Arguments, Arguments(), argv[len(paths) :], "ganvas compare RUN RUN …")
    if len(paths) < 2:
        print("ganvas: which runs? ganvas compare RUN RUN …", file=sys.stderr)
        return 2
    from ..api import compare
    from ..evaluation.comparison import format_comparison

    result = compare(paths, out=arguments.out)
    print(
        json.dumps(result, indent=1, ensure_ascii=False)
        if arguments.json
        else f"{format_comparison(result)}\n\npicture  {result['picture']}"
    )
    if result["problems"]:  # shown, but not all of it ranked
        raise GanvasError("\n".join(result["problems"]))
    return 0
