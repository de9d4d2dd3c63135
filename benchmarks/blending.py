"""A piece of a photograph, pasted back with its colours changed: a good blend gives the photograph again.

python benchmarks/blending.py [--set FOLDER]     (wants `make data-translation`)

PSNR in the mask, at most 60 dB each. The baseline is OpenCV's seamlessClone. "Without contrast" leaves out the contrast along
the seam. This test suits it: its change of colours is one factor and one offset a channel.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas.pictures import blending
from ganvas.pictures.blending import Paste, blend_paste

DATA = Path("data/translation/photographs_x4/B")
ROWS, COLUMNS = slice(40, 424), slice(150, 534)  # of a photograph: 384 px


def build_pastes(folder: Path) -> list[Paste]:
    """The middle of each photograph, an ellipse of which has other colours."""
    rng, pastes = np.random.default_rng(0), list[Paste]()
    for path in sorted(folder.iterdir()):
        true = torch.from_numpy(np.array(Image.open(path).convert("RGB"))[ROWS, COLUMNS]).permute(2, 0, 1).double() / 255
        side = true.shape[-1]
        y, x = np.mgrid[:side, :side]
        mask = torch.as_tensor(((y - side / 2) / (side * 0.28)) ** 2 + ((x - side / 2) / (side * 0.33)) ** 2 < 1)
        gain, offset = torch.as_tensor(rng.uniform(0.6, 1.3, 3)), torch.as_tensor(rng.uniform(-0.1, 0.15, 3))
        pastes.append(Paste((true * gain[:, None, None] + offset[:, None, None]).clamp(0, 1), true, mask))
    return pastes


def clone_by_opencv(paste: Paste) -> Tensor:
    source, target = (
        (picture * 255).round().byte().permute(1, 2, 0).contiguous().numpy() for picture in (paste.source, paste.target)
    )
    columns, rows = (np.flatnonzero(paste.mask.any(axis))[[0, -1]] for axis in (0, 1))
    mask = paste.mask.byte().numpy() * 255
    cloned = cv2.seamlessClone(source, target, mask, (int(columns.mean()), int(rows.mean())), cv2.NORMAL_CLONE)
    return torch.from_numpy(cloned).permute(2, 0, 1).double() / 255


def blend_without_contrast(paste: Paste) -> Tensor:
    with patch.object(blending, "match_contrast", lambda paste: paste.source):
        return blend_paste(paste)


WAYS: dict[str, Callable[[Paste], Tensor]] = {
    "the paste": lambda paste: paste.composite,
    "OpenCV seamlessClone": clone_by_opencv,
    "ganvas, without contrast": blend_without_contrast,
    "ganvas": blend_paste,
}


def measure_psnr(x: Tensor, paste: Paste) -> float:
    error = (((x * 255).round() - (paste.target * 255).round())[:, paste.mask] / 255).square().mean()
    return float(-10 * error.clamp(min=1e-6).log10())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, default=DATA)
    pastes = build_pastes(parser.parse_args().set)
    print(f"| {len(pastes)} photographs | PSNR in the mask | each |\n|---|---|---|")
    for name, blend in WAYS.items():
        values = [measure_psnr(blend(paste), paste) for paste in pastes]
        print(f"| {name} | {np.mean(values):.2f} | {', '.join(f'{value:.1f}' for value in values)} |")


if __name__ == "__main__":
    main()
