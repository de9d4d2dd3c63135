"""Random numbers in [0, 1) that follow from integers alone, so that a row has the same ones in any batch."""

import torch
from torch import Tensor

MASK = 0xFFFFFFFF  # of 32 bits
ROW_FACTOR, COLUMN_FACTOR, CODE_FACTOR = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D  # odd, so that no row is like another


def mix_bits(x: Tensor) -> Tensor:
    """A hash of 32 bits, int64 in and out, any shape. Wellons 2018, "lowbias32"."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & MASK
    x = ((x ^ (x >> 15)) * 0x846CA68B) & MASK
    return x ^ (x >> 16)


def hash_rows(seeds: Tensor, codes: Tensor | None = None) -> Tensor:
    """A hash int64 [N] of seeds int64 [N] and, if given, of the rows' codes int64 [N, C]."""
    hashes = mix_bits((seeds * ROW_FACTOR) & MASK)
    if codes is None:
        return hashes
    factors = mix_bits(torch.arange(1, codes.shape[1] + 1, device=codes.device)) | 1
    return mix_bits(hashes ^ (((codes + 1) * factors) & MASK).sum(1) & MASK)


def draw_cell_places(hashes: Tensor, columns: int) -> Tensor:
    """A number in (0, 1) for each row's hash, int64 [N], and each column: float32 [N, columns]."""
    numbers = (torch.arange(1, columns + 1, device=hashes.device) * COLUMN_FACTOR) & MASK
    bits = mix_bits(hashes[:, None] ^ mix_bits(numbers)[None])
    return (((bits >> 8).to(torch.float32) + 0.5) / 2**24).clamp_(max=1 - 2**-24)  # float32 would round the last one to 1
