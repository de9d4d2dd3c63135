"""Scores of samples beside those that belong to them, such as translations beside the truth. One file per metric."""

from .colourfulness import Colourfulness
from .psnr import PSNR
from .ssim import SSIM
from .summary import PairSummary, summarise_pairs

__all__ = ["PSNR", "SSIM", "Colourfulness", "PairSummary", "summarise_pairs"]
