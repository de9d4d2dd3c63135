"""A U-Net whose way down is a trained classifier."""

import pytest
import torch

from ganvas.nets import PretrainedUNet


def draw(channels: int) -> torch.Tensor:
    return torch.rand(2, channels, 64, 64, generator=torch.Generator().manual_seed(channels)) * 2 - 1


@pytest.mark.parametrize(("channels", "pictures"), [(1, 1), (3, 1), (4, 1), (6, 2), (9, 3)])
def test_each_three_channels_are_seen_as_a_picture(channels: int, pictures: int) -> None:
    G = PretrainedUNet(width=2, enlargement=1).build_generator((channels, 64, 64), 3).eval()
    source = draw(channels)
    one = PretrainedUNet(width=2, enlargement=1).build_generator((min(channels, 3), 64, 64), 3)
    with torch.no_grad():
        assert G(source).shape == (2, 3, 64, 64)
        for level, features in enumerate(G.see(source)):  # type: ignore[operator]
            parts = features.chunk(pictures, 1)
            for k, part in enumerate(parts):
                alone = source[:, 3 * k : 3 * k + 3] if channels >= 3 else source
                torch.testing.assert_close(part, one.see(alone)[level])  # type: ignore[operator]


def test_a_further_picture_decides_far_away() -> None:
    """What the second picture shows at one place changes the result at the other end of the classifier's view."""
    torch.manual_seed(0)
    G = PretrainedUNet(width=4, enlargement=1).build_generator((6, 64, 64), 3).eval()
    source, other = draw(6), draw(6)
    other[:, 3:, :8, :8] *= -1
    with torch.no_grad():
        change = (G(source) - G(other)).abs().amax((0, 1))
    assert change[40:, 40:].max() > 0
