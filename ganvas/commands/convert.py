"""bring in a generator that others trained"""

import sys
from dataclasses import dataclass
from pathlib import Path

from .parsing import parse


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Make a run of a file with a trained generator: StyleGAN2 (NVIDIA's, rosinality's), StyleGAN3, R3GAN, BigGAN-PyTorch.

    The file is read as data: nothing in it is run.

    out: the run's folder. [default: runs/FILE]
    """

    out: str | None = None


def main(words: list[str]) -> int:
    if not words or words[0].startswith("-"):
        if not any(word in ("-h", "--help") for word in words):
            print("ganvas: which file? ganvas convert FILE --out RUN", file=sys.stderr)
            return 2
        words = ["", "--help"]
    file, got = Path(words[0]), parse(Arguments, Arguments(), words[1:], "ganvas convert FILE")
    from ..api import convert

    out = Path(got.out) if got.out else Path("runs") / file.stem
    convert(file, out, say=lambda line: print(line, file=sys.stderr))
    print(out)
    return 0
