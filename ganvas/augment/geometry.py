"""Mirror, rotate, shift, scale and stretch samples, each with probability p. Karras et al. 2020b, appendix B, table 2."""

from math import pi

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from ..resampling import downsample_by_filter, get_constant_tensor, upsample_by_filter

# the wavelet sym6: doubling an image by it and halving it again changes nothing (Daubechies 1992, table 8.1, N = 6)
SYM6_WAVELET = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
SYM6_DELAY_PIXELS = (
    sum(k * tap for k, tap in enumerate(SYM6_WAVELET)) / sum(SYM6_WAVELET) - 5.5
)  # its centre: it is not quite symmetric
REFLECTED_PIXELS = 6  # width of the reflected border; the filter sees its inner pixels


def choose_at_random(p: Tensor, values: Tensor, neutral: float) -> Tensor:
    """Each of `values` [N] with probability p, otherwise `neutral`."""
    return torch.where(torch.rand_like(values) < p, values, torch.full_like(values, neutral))


def draw_pixel_moves(mirror: Tensor, quarter: Tensor, move: Tensor, n: int, size: tuple[int, int]) -> Tensor:
    """Draw moves of whole pixels: mirror images, quarter turns, shifts by up to an eighth, each with its own probability.

    Returns inverse transforms [N, 3, 3].
    """
    draw = torch.rand(4, n, device=move.device)
    mirror = 1 - 2 * choose_at_random(mirror, (draw[0] < 0.5).float(), 0.0)
    turn = choose_at_random(quarter, (draw[1] * 4).floor(), 0.0) * (pi / 2)
    moves = torch.rand(n, device=move.device) < move
    right, down = (torch.where(moves, ((draw[k] * 2 - 1) * size[3 - k] / 8).round(), 0.0) for k in (2, 3))
    return build_scaling(mirror, torch.ones_like(mirror)) @ build_rotation(turn) @ build_translation(right, down)


def draw_shape_changes(p: Tensor, n: int, size: tuple[int, int]) -> Tensor:
    """Draw changes of shape: scale, rotate, stretch, rotate, shift by fractions of pixels. Inverse transforms [N, 3, 3]."""
    normal, angles = torch.randn(4, n, device=p.device), (torch.rand(2, n, device=p.device) * 2 - 1) * pi
    turn_p = 1 - (1 - p).sqrt()  # for two rotations, so that at least one happens with probability p
    scale, stretch = (
        choose_at_random(p, torch.exp2(0.2 * normal[0]), 1.0),
        choose_at_random(p, torch.exp2(0.2 * normal[1]), 1.0),
    )
    moves = torch.rand(n, device=p.device) < p
    right, down = (torch.where(moves, normal[k] * size[3 - k] / 8, 0.0) for k in (2, 3))
    first_turn, second_turn = (build_rotation(choose_at_random(turn_p, angle, 0.0)) for angle in angles)
    return (
        build_scaling(scale, scale)
        @ first_turn
        @ build_scaling(stretch, 1 / stretch)
        @ second_turn
        @ build_translation(right, down)
    )


def warp_samples(x: Tensor, inverse: Tensor) -> Tensor:
    """x [N, C, H, W]; inverse [N, 3, 3] says where each pixel comes from, in pixels from the centre.

    The image is doubled, sampled bilinearly and halved, to avoid aliasing; beyond its border it is reflected. Figure 18.
    """
    height, width = x.shape[2:]
    taps = get_constant_tensor(SYM6_WAVELET, x.dtype, x.device) / 2**0.5
    edge = min(REFLECTED_PIXELS, height - 1, width - 1)
    doubled_x = upsample_by_filter(pad(x, [edge] * 4, mode="reflect"), taps, 2, (6, 5))
    rows, columns = (
        (torch.arange(-5, 2 * side + 5, device=x.device) + 0.5 - SYM6_DELAY_PIXELS - side) / 2 for side in (height, width)
    )
    positions = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), 2)  # [2H + 10, 2W + 10, 2], right and down
    source = torch.einsum("nij,hwj->nhwi", inverse[:, :2, :2], positions) + inverse[:, None, None, :2, 2]
    source = (
        torch.stack([reflect_positions(source[..., 0], width, edge), reflect_positions(source[..., 1], height, edge)], 3)
        + SYM6_DELAY_PIXELS / 2
    )
    half_size = get_constant_tensor((width / 2 + edge, height / 2 + edge), x.dtype, x.device)
    return downsample_by_filter(grid_sample(doubled_x, source / half_size, mode="bilinear", align_corners=False), taps, 2)


def reflect_positions(positions: Tensor, side: int, edge: int) -> Tensor:
    """Positions beyond the outermost pixels, mirrored until they are inside; the nearest few are in the padding already."""
    last_pixel = side - 1
    mirrored_positions = (
        last_pixel - ((positions + last_pixel / 2).remainder(2 * last_pixel) - last_pixel).abs() - last_pixel / 2
    )
    return torch.where(positions.abs() <= last_pixel / 2 + edge - REFLECTED_PIXELS / 2, positions, mirrored_positions)


def build_scaling(across: Tensor, along: Tensor) -> Tensor:
    zero = torch.zeros_like(across)
    return build_affine([[1 / across, zero, zero], [zero, 1 / along, zero]])


def build_rotation(angle: Tensor) -> Tensor:
    zero = torch.zeros_like(angle)
    return build_affine([[angle.cos(), angle.sin(), zero], [-angle.sin(), angle.cos(), zero]])


def build_translation(right: Tensor, down: Tensor) -> Tensor:
    one, zero = torch.ones_like(right), torch.zeros_like(right)
    return build_affine([[one, zero, -right], [zero, one, -down]])


def build_affine(rows: list[list[Tensor]]) -> Tensor:
    """[N, 3, 3] from two rows; the third is 0, 0, 1."""
    n, device = len(rows[0][0]), rows[0][0].device
    last_row = get_constant_tensor((0.0, 0.0, 1.0), torch.float32, device).expand(n, 1, 3)
    return torch.cat([torch.stack([torch.stack(row, 1) for row in rows], 1), last_row], 1)
