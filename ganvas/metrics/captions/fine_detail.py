"""How much power pictures have at the highest frequencies, against real ones: more is noise, less is blur."""

import torch
from torch import Tensor

TOP_OCTAVE = 0.25  # cycles a pixel, where it begins; it ends at 0.5, the highest frequency


def measure_fine_detail(pictures: Tensor, reals: Tensor) -> float:
    """The mean power in the top octave of pictures [N, C, H, W], divided by that of real ones. 1 is right."""
    return float(compute_top_power(pictures) / compute_top_power(reals).clamp_min(torch.finfo(torch.float64).tiny))


def compute_top_power(pictures: Tensor) -> Tensor:
    """The mean of the squared spectrum [N, C, H, W] where the frequency is 1/4 cycle a pixel or more; a number."""
    height, width = pictures.shape[2:]
    frequencies = torch.fft.fftfreq(height)[:, None].square() + torch.fft.fftfreq(width)[None].square()
    spectrum = torch.fft.fft2(pictures.double()).abs().square() / (height * width)
    return spectrum[..., frequencies >= TOP_OCTAVE**2].mean()
