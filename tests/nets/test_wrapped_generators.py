"""What a network's output means: a change of the source, the filling of a hole, colours for a luma."""

from typing import Any

import pytest
import torch
from PIL import Image as Pillow
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganvas.errors import GanvasError
from ganvas.nets import SRVGG, Chroma, GatedInpainting, Hole, MSRResNet, Residual, ResNet, RRDBNet, SRResNet, UNet
from ganvas.nets.translation.chroma import CB_RANGE, CR_RANGE, add_chroma, compute_luma

SMALL_UNET = UNet(width=2, depth=2)


def draw(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1


def wake_last_layers(network: nn.Module) -> None:
    """Random weights of the size of others, so that the network does something."""
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0.0, 0.5)


@pytest.mark.parametrize(
    "generator",
    [
        SMALL_UNET,
        ResNet(width=2, blocks=1),
        RRDBNet(width=2, growth=2, blocks=1, scale=1),
        SRResNet(width=2, blocks=1, scale=1),
    ],
)
def test_a_residual_generator_starts_as_the_identity(generator: Any) -> None:
    G = Residual(generator=generator).build_generator((3, 16, 16), 3)
    source = draw(2, 3, 16, 16)
    x = G(source)
    assert torch.equal(x, source)
    x.square().sum().backward()  # and it can leave it
    gradients = [p.grad for p in G.parameters() if p.grad is not None]
    assert any(gradient.abs().sum() > 0 for gradient in gradients)


@pytest.mark.parametrize("enlargement", ["bicubic", "bilinear", "nearest"])
def test_an_enlarging_one_starts_as_the_enlarged_source(enlargement: Any) -> None:
    design = Residual(generator=SRResNet(width=2, blocks=1, scale=2), enlargement=enlargement)
    source = draw(2, 3, 8, 8)
    with torch.no_grad():
        x = design.build_generator((3, 8, 8), 3)(source)
    aligned = {} if enlargement == "nearest" else {"align_corners": False}
    assert torch.equal(x, interpolate(source, scale_factor=2, mode=enlargement, **aligned))


def test_a_change_reaches_from_black_to_white() -> None:
    G = Residual(generator=SMALL_UNET).build_generator((3, 16, 16), 3)
    nn.init.constant_(G.net.ups[0].bias, 20.0)  # type: ignore[union-attr, arg-type]
    torch.testing.assert_close(G(-torch.ones(1, 3, 16, 16)), torch.ones(1, 3, 16, 16))


def test_gray_sources_become_colour_by_repeating() -> None:
    source = draw(2, 1, 16, 16)
    with torch.no_grad():
        x = Residual(generator=SMALL_UNET).build_generator((1, 16, 16), 3)(source)
    assert torch.equal(x, source.expand(2, 3, 16, 16))


def test_of_a_stack_the_first_channels_are_changed_and_all_are_seen() -> None:
    G = Residual(generator=SMALL_UNET).build_generator((7, 16, 16), 3)
    source = draw(2, 7, 16, 16)
    with torch.no_grad():
        assert torch.equal(G(source), source[:, :3])
        wake_last_layers(G)
        other = torch.cat([source[:, :6], -source[:, 6:]], 1)
        assert not torch.equal(G(other), G(source))


@pytest.mark.parametrize("generator", [GatedInpainting(width=2), SMALL_UNET, ResNet(width=2, blocks=1)])
def test_known_pixels_are_kept_bit_for_bit_and_the_hole_is_never_seen(generator: Any) -> None:
    G = Hole(generator=generator).build_generator((3, 16, 16), 3)
    wake_last_layers(G)
    G.eval()
    source, mask = draw(2, 3, 16, 16), torch.zeros(2, 1, 16, 16)
    mask[:, :, 4:9, 3:12] = 1
    is_hole = (mask > 0).expand_as(source)
    assert G.conditions == ("source", "mask")
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        x = G(source, mask)
        assert torch.equal(x[~is_hole], source[~is_hole])
        other_hole = torch.where(is_hole, -source, source)
        assert torch.equal(G(other_hole, mask), x)
        assert not torch.equal(G(source, mask.flip(3))[is_hole], x[is_hole])
    assert (x[is_hole] != source[is_hole]).float().mean() > 0.9


def test_luma_is_that_of_gray_files() -> None:
    pixels = torch.randint(0, 256, (16, 16, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    gray = torch.tensor(list(Pillow.fromarray(pixels.numpy()).convert("L").tobytes())).view(16, 16)
    luma = compute_luma(pixels.permute(2, 0, 1)[None].float())[0, 0]
    assert (luma - gray).abs().max() <= 0.51


def test_chroma_and_luma_give_the_colour_back() -> None:
    """Within the range, it is the inverse of RGB -> YCbCr; the ranges are those of the standard."""
    x = 0.3 * draw(2, 3, 8, 8)
    luma = compute_luma(x)
    chroma = torch.cat([(x[:, 2:] - luma) / CB_RANGE, (x[:, :1] - luma) / CR_RANGE], 1)
    torch.testing.assert_close(add_chroma(luma, chroma), x)
    assert pytest.approx((1.772, 1.402)) == (CB_RANGE, CR_RANGE)


def test_luma_is_kept_for_any_chroma_and_colours_stay_in_range() -> None:
    luma, chroma = draw(1, 1, 64, 64), draw(1, 2, 64, 64)
    luma[0, 0, 0, :3] = torch.tensor([-1.0, 0.0, 1.0])
    x = add_chroma(luma, chroma.requires_grad_())
    torch.testing.assert_close(compute_luma(x), luma, atol=1e-6, rtol=0)
    assert x.min() >= -1 - 1e-6
    assert x.max() <= 1 + 1e-6
    x.square().sum().backward()
    assert chroma.grad is not None
    assert chroma.grad.isfinite().all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_colouring_generator_starts_with_gray_and_keeps_the_luma(channels: int) -> None:
    G = Chroma(generator=SMALL_UNET).build_generator((channels, 16, 16), 3).eval()
    source = draw(2, channels, 16, 16)
    with torch.no_grad():
        gray = compute_luma(source).expand(2, 3, 16, 16)
        torch.testing.assert_close(G(source), gray)
        wake_last_layers(G)
        x = G(source)
        assert (x - gray).abs().mean() > 0.1
        torch.testing.assert_close(compute_luma(x), compute_luma(source), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("design", "source", "channels", "words"),
    [
        (Residual(generator=MSRResNet(width=2, blocks=1)), (3, 8, 8), 3, "starts from the source by itself"),
        (Residual(generator=SRVGG(width=2, layers=1)), (3, 8, 8), 3, "starts from the source by itself"),
        (Residual(generator=SMALL_UNET), (2, 16, 16), 3, "sources are gray or have as many channels"),
        (Hole(generator=SMALL_UNET), (1, 16, 16), 3, "Hole keeps pixels of its source"),
        (Hole(generator=SRResNet(width=2, blocks=1)), (3, 8, 8), 3, "its generator enlarges 4 times"),
        (Chroma(generator=SRResNet(width=2, blocks=1)), (1, 8, 8), 3, "its generator enlarges 4 times"),
        (Chroma(generator=SMALL_UNET), (1, 16, 16), 1, "Chroma makes RGB"),
    ],
)
def test_what_does_not_fit_is_refused(design: Any, source: tuple[int, int, int], channels: int, words: str) -> None:
    with pytest.raises(GanvasError, match=words):
        design.build_generator(source, channels)
