"""Blend a part of a picture into another: the Gaussian-Poisson equation, by cosine transforms. Wu et al. 2019 (GP-GAN).

Two steps, as there. First a small picture says which colours the result has at large: of a translator, or of the target
around the part. Then details come from the gradients of both pictures, and colours at large from the small one.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate, max_pool2d, pad

COARSE_SIDE = 96  # longer side of the picture of colours at large, in pixels
COLOUR_WEIGHT = 1e-2  # β: of colours at large, against gradients
BLUR_SIDE = 48  # the blur of eq. 6 deviates by 1 px of a picture of this side
SOLVER_STEPS, SOLVER_TOLERANCE = 500, 1e-6
LEAST_CORRELATION, GAIN_RANGE = 0.9, (0.5, 2.0)  # along the seam, where contrast is matched


class Paste(NamedTuple):
    """A part that is already in its place. Values lie in [0, 1], in double precision."""

    source: Tensor  # [C, H, W]; counts where the mask is
    target: Tensor  # [C, H, W]
    mask: Tensor  # bool [H, W]: where the source comes

    @property
    def composite(self) -> Tensor:
        """The source cut out and laid on the target."""
        return torch.where(self.mask, self.source, self.target)

    @property
    def seam(self) -> Tensor:
        """The mask's own pixels at its border, bool [H, W]: there both pictures ought to agree."""
        outside = pad((~self.mask).double()[None], (1, 1, 1, 1), value=0.0)
        return self.mask & (max_pool2d(outside, 3, 1)[0] > 0)


def blend_paste(paste: Paste, coarse: Tensor | None = None) -> Tensor:
    """The blended picture [C, H, W] in [0, 1]. Outside the mask the target stays as it is, bit for bit.

    Args:
        coarse: colours at large, [C, h, w] in [0, 1], as a translator makes them of the composite. None: they follow from the
            target along the seam.
    """
    if not paste.seam.any():  # the source covers all, or nothing
        return paste.composite
    paste = paste._replace(source=match_contrast(paste))
    size = paste.target.shape[1:]
    colours = match_seam(paste) if coarse is None else enlarge_smoothly(coarse.double(), size)
    colours = torch.where(paste.mask, colours, paste.target)
    deviation = max(1.0, max(size) / BLUR_SIDE)
    solution = solve_gaussian_poisson(*join_gradients(paste), colours, COLOUR_WEIGHT, deviation)
    return torch.where(paste.mask, solution.clamp(0, 1), paste.target)


def match_contrast(paste: Paste) -> Tensor:
    """The source with the contrast of the target along the seam, where both show nearly the same; otherwise as it is.

    Of a channel: the slope of the best line from source to target, if they correlate.
    """
    source, target = paste.source[:, paste.seam], paste.target[:, paste.seam]  # [C, P]
    source, target = (values - values.mean(1, keepdim=True) for values in (source, target))
    products, squares = (source * target).sum(1), source.square().sum(1)
    correlation = products / (squares * target.square().sum(1)).sqrt().clamp(min=1e-12)
    gain = products / squares.clamp(min=1e-12)
    is_alike = (correlation > LEAST_CORRELATION) & (gain > GAIN_RANGE[0]) & (gain < GAIN_RANGE[1])
    return paste.source * torch.where(is_alike, gain, 1.0)[:, None, None]


def match_seam(paste: Paste) -> Tensor:
    """The source, shifted smoothly so that it meets the target along the seam: [C, H, W]. Pérez et al. 2003, eq. 5.

    The shift is a membrane: it satisfies Laplace's equation, and equals the difference along the seam. It is solved small.
    """
    height, width = paste.target.shape[1:]
    shrink = min(1.0, COARSE_SIDE / max(height, width))
    size = (max(1, round(height * shrink)), max(1, round(width * shrink)))
    seam = paste.seam.double()[None]
    weights = adaptive_avg_pool2d(seam, size)
    differences = adaptive_avg_pool2d((paste.target - paste.source) * seam, size) / weights.clamp(min=1e-12)
    membrane = solve_membrane(differences, weights[0] > 0)
    return paste.source + enlarge_smoothly(membrane, (height, width))


def solve_membrane(values: Tensor, is_fixed: Tensor) -> Tensor:
    """The smoothest surface [C, h, w] through the values where `is_fixed` [h, w]: Laplace's equation elsewhere.

    By conjugate gradients, all channels at once; the borders of the picture are mirrors.
    """
    is_free = (~is_fixed).to(values)
    surface = torch.where(is_fixed, values, values[:, is_fixed].mean(1)[:, None, None])
    residual = -apply_laplacian(surface) * is_free
    direction, size = residual.clone(), residual.square().sum((1, 2), keepdim=True)
    for _ in range(SOLVER_STEPS):
        if size.max().sqrt() < SOLVER_TOLERANCE:
            break
        image = apply_laplacian(direction) * is_free
        step = size / (direction * image).sum((1, 2), keepdim=True).clamp(min=1e-30)
        surface, residual = surface + step * direction, residual - step * image
        next_size = residual.square().sum((1, 2), keepdim=True)
        direction, size = residual + next_size / size.clamp(min=1e-30) * direction, next_size
    return surface


def apply_laplacian(x: Tensor) -> Tensor:
    """Minus the divergence of the gradient: [C, H, W] -> [C, H, W]."""
    return -compute_divergence(*compute_gradients(x))


def compute_gradients(x: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the next column and to the next row, 0 at the end: [C, H, W] -> twice [C, H, W]."""
    return pad(x[..., 1:] - x[..., :-1], (0, 1)), pad(x[..., 1:, :] - x[..., :-1, :], (0, 0, 0, 1))


def compute_divergence(gx: Tensor, gy: Tensor) -> Tensor:
    return gx - pad(gx, (1, 0))[..., :-1] + gy - pad(gy, (0, 0, 1, 0))[..., :-1, :]


def join_gradients(paste: Paste) -> tuple[Tensor, Tensor]:
    """The source's gradients between two pixels of the mask, and the target's elsewhere: across the seam too."""
    mask, source, target = paste.mask, compute_gradients(paste.source), compute_gradients(paste.target)
    is_inside_x = mask & pad(mask[:, 1:], (0, 1))
    is_inside_y = mask & pad(mask[1:], (0, 0, 0, 1))
    return torch.where(is_inside_x, source[0], target[0]), torch.where(is_inside_y, source[1], target[1])


def solve_gaussian_poisson(gx: Tensor, gy: Tensor, colours: Tensor, weight: float, deviation: float) -> Tensor:
    """argmin ‖∇x − g‖² + β ‖blur(x) − blur(colours)‖²: [C, H, W]. Wu et al. 2019, eq. 6; borders are mirrors.

    Args:
        weight: β.
        deviation: the blur's, in pixels.
    """
    height, width = colours.shape[-2:]
    rows, columns = (build_frequencies(n).to(colours) for n in (height, width))
    laplacian = rows[:, None] + columns
    blur = torch.exp(-(deviation**2) * laplacian)  # squared, to second order in the frequency
    transform = transform_cosines(-compute_divergence(gx, gy)) + weight * blur * transform_cosines(colours)
    return invert_cosines(transform / (laplacian + weight * blur).clamp(min=1e-12))


def build_frequencies(n: int) -> Tensor:
    """The eigenvalues of the Laplacian on a line of n pixels with mirrors at its ends."""
    return 2 - 2 * torch.cos(torch.pi * torch.arange(n, dtype=torch.float64) / n)


def transform_cosines(x: Tensor) -> Tensor:
    """DCT-II over the last two axes, by an FFT of the mirrored signal."""
    for axis in (-1, -2):
        x = x.movedim(axis, -1)
        n = x.shape[-1]
        spectrum = torch.fft.rfft(torch.cat([x, x.flip(-1)], -1), dim=-1)[..., :n]
        x = (spectrum * build_phase(n, -1)).real.movedim(-1, axis) / 2
    return x


def invert_cosines(x: Tensor) -> Tensor:
    """The inverse of `transform_cosines`."""
    for axis in (-1, -2):
        x = x.movedim(axis, -1)
        n = x.shape[-1]
        spectrum = pad(x * build_phase(n, 1), (0, 1))
        x = (torch.fft.irfft(spectrum, 2 * n, dim=-1)[..., :n] * 2).movedim(-1, axis)
    return x


def build_phase(n: int, sign: int) -> Tensor:
    """A shift by half a pixel, complex [n]."""
    return torch.exp(sign * 1j * torch.pi * torch.arange(n, dtype=torch.float64) / (2 * n))


def enlarge_smoothly(x: Tensor, size: tuple[int, int] | torch.Size) -> Tensor:
    """[C, h, w] at another size."""
    return interpolate(x[None], size=size, mode="bicubic", align_corners=False)[0]
