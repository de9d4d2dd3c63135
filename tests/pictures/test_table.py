"""Tiles of samples: square or not, their shape and their pixels stay."""

import numpy as np
import pytest
import torch

from ganvas.media import ImageCodec
from ganvas.pictures.table import draw_table, draw_tile


@pytest.mark.parametrize(
    ("size", "tile"), [(32, (96, 96)), ("96x64", (96, 64)), ("40x72", (53, 96)), ("512x8", (96, 2)), ("2048x4", (96, 1))]
)
def test_the_longer_side_fills_the_tile(size: int | str, tile: tuple[int, int]) -> None:
    codec = ImageCodec(size=size, channels=1)
    assert draw_tile(codec, torch.zeros(codec.stored_shape, dtype=torch.uint8)).size == tile


@pytest.mark.parametrize(("size", "longer"), [("16x8", 96), (48, 144), ("24x16", 120)])
def test_tiles_of_whole_multiples_repeat_each_pixel(size: int | str, longer: int) -> None:
    codec = ImageCodec(size=size, channels=1)
    stored = torch.randint(0, 256, codec.stored_shape, generator=torch.Generator().manual_seed(0)).byte()
    zoom = longer // max(codec.frame_size)
    wanted = stored[..., 0].numpy().repeat(zoom, 0).repeat(zoom, 1)
    assert (np.asarray(draw_tile(codec, stored, longer)) == wanted).all()


def test_a_row_of_a_table_is_as_high_as_its_tiles() -> None:
    codec = ImageCodec(size="96x64", channels=1)
    tile = draw_tile(codec, torch.zeros(codec.stored_shape, dtype=torch.uint8))
    assert draw_table([[tile, tile], [tile]]).size == (2 * 96 + 6, 2 * 64 + 6)
