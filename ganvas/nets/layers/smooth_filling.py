"""Holes filled smoothly from their borders: known pixels are averaged downwards, and their means flow back up.

Gortler et al. 1996 (The Lumigraph), section 3.4.2 ("push-pull"). Each size is then smoothed: Briggs et al. 2000 (multigrid).
"""

import torch
from torch import Tensor, nn


class SmoothFilling(nn.Module):
    """x [N, C, H, W] and is_hole bool [N, 1, H, W], sides multiples of 2^levels -> x with its holes filled.

    Known pixels stay bit for bit. What x has in the hole is not seen. Where no known pixel is near, it becomes 0.

    levels: halvings. A place sees known pixels up to about smoothings·2^levels px away.
    smoothings: passes of a 3x3 mean over the hole at each size.
    """

    def __init__(self, levels: int, smoothings: int) -> None:
        super().__init__()
        self.halvings = nn.ModuleList(nn.AvgPool2d(2) for _ in range(levels))
        passes = [[nn.AvgPool2d(3, 1, 1, count_include_pad=False) for _ in range(smoothings)] for _ in range(levels + 1)]
        self.smoothings = nn.ModuleList(nn.Sequential(*layers) for layers in passes)
        self.doublings = nn.ModuleList(nn.Upsample(scale_factor=2.0, mode="bilinear") for _ in range(levels))

    def forward(self, x: Tensor, is_hole: Tensor) -> Tensor:
        known = (~is_hole).to(x.dtype)
        sums, shares = [x.masked_fill(is_hole, 0.0)], [known]
        for halve in self.halvings:
            sums.append(halve(sums[-1]))
            shares.append(halve(shares[-1]))
        spread = self.smoothings[-1]
        filling = divide(spread(sums[-1]), spread(shares[-1]))
        for k in reversed(range(len(self.halvings))):
            filling, means, is_known = self.doublings[k](filling), divide(sums[k], shares[k]), shares[k] > 0
            filling = torch.where(is_known, means, filling)
            for smooth in self.smoothings[k]:  # type: ignore[attr-defined]
                filling = torch.where(is_known, means, smooth(filling))
        return filling

    @property
    def path(self) -> tuple[nn.Module, ...]:
        """Down to the smallest size, and up: the way that sees farthest."""
        ups = [layer for pair in zip(reversed(self.smoothings[1:]), reversed(self.doublings), strict=True) for layer in pair]
        return (*self.halvings, *ups, self.smoothings[0])


def divide(sums: Tensor, shares: Tensor) -> Tensor:
    """sums / shares, and 0 where there is nothing to share."""
    return sums / shares.masked_fill(shares == 0, 1.0)
