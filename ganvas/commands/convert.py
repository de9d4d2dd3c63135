"""bring in a generator that others trained"""

import sys
from dataclasses import dataclass
from pathlib import Path

from .parsing import parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Make a run of a file that holds a trained generator. The file is read as data: nothing in it is run.

    It may be a StyleGAN2 (NVIDIA's or rosinality's), StyleGAN3, R3GAN or BigGAN-PyTorch file: .pkl, .pth, .pt or .safetensors.
    Or a translator: CycleGAN's, pix2pix's, CUT's, pix2pixHD's, ESRGAN's, Real-ESRGAN's, StarGAN's or LaMa's generator.

    Example:
        ganvas convert ffhq.pkl --out runs/ffhq

    out: the folder of the new run. Default: runs/FILE.
    """

    out: str | None = None


def main(argv: list[str]) -> int:
    if not argv or argv[0].startswith("-"):
        if not any(word in ("-h", "--help") for word in argv):
            print("ganvas: which file? ganvas convert FILE --out RUN", file=sys.stderr)
            return 2
        argv = ["", "--help"]
    file, arguments = Path(argv[0]), parse_settings(Arguments, Arguments(), argv[1:], "ganvas convert FILE")
    from ..api import convert

    out = Path(arguments.out) if arguments.out else Path("runs") / file.stem
    convert(file, out, say=lambda line: print(line, file=sys.stderr))
    print(out)
    return 0
