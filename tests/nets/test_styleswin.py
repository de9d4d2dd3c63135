"""StyleSwin: windows, what their border lets through, positions, wavelets, the published size."""

import pytest
import torch

from ganvas.core import Spec
from ganvas.errors import GanvasError, SettingError
from ganvas.nets import StyleSwin
from ganvas.nets.styleswin.discriminator import compute_wavelets
from ganvas.nets.styleswin.generator import count_heads, encode_positions
from ganvas.nets.styleswin.windows import DoubleAttention, WindowAttention, index_offsets, join_windows, split_windows


def test_the_published_number_of_parameters() -> None:
    """Zhang et al. 2022, comparison of costs: 40.86 million for G at 1024 px."""
    with torch.device("meta"):
        nets = StyleSwin().build(Spec((3, 1024, 1024), (), {}))
    assert sum(p.numel() for p in nets["G"].parameters()) == 40_864_452


def test_windows_are_cut_and_joined() -> None:
    x = torch.arange(2 * 8 * 8 * 3.0).view(2, 8, 8, 3)
    windows = split_windows(x, 4)
    assert windows.shape == (2, 4, 16, 3)
    assert torch.equal(windows[0, 1].view(4, 4, 3), x[0, :4, 4:])
    assert torch.equal(join_windows(windows, 4, 8), x)


def find_reach(module: torch.nn.Module, row: int, column: int) -> torch.Tensor:
    """Which of 8 x 8 tokens change the output at (row, column)."""
    x = torch.randn(1, 8, 8, 8, requires_grad=True)
    (gradient,) = torch.autograd.grad(module(x)[0, row, column].sum(), x)
    return gradient[0].abs().amax(2) > 0


def test_half_of_the_heads_see_beyond_the_window_and_none_around_the_image() -> None:
    torch.manual_seed(0)
    attention = DoubleAttention(8, 4, size=8, window=4)
    plain, shifted = torch.zeros(8, 8, dtype=torch.bool), torch.zeros(8, 8, dtype=torch.bool)
    plain[:4, :4], shifted[2:6, 2:6] = True, True
    assert torch.equal(find_reach(attention, 3, 3), plain | shifted)
    corner = torch.zeros(8, 8, dtype=torch.bool)
    corner[:4, :4] = True  # rolled, the corner shares a window with the other three, which the mask hides
    assert torch.equal(find_reach(attention, 0, 0), corner)


def test_a_window_as_large_as_the_image_is_not_shifted() -> None:
    torch.manual_seed(0)
    attention = DoubleAttention(8, 4, size=8, window=16)
    assert find_reach(attention, 0, 0).all()
    assert [half.shift for half in attention.halves] == [0, 0]


def test_attention_is_that_of_its_window_with_a_bias_by_offset() -> None:
    torch.manual_seed(0)
    attention = WindowAttention(heads=2, size=4, window=2, shift=0)
    q, k, v = (torch.randn(1, 4, 4, 2, 3) for _ in range(3))
    found = attention(q, k, v)[0, 1, 2, 1]  # the second head, in the window of rows 0 and 1, columns 2 and 3
    places = [(0, 2), (0, 3), (1, 2), (1, 3)]
    offsets = [(1 - row + 1) * 3 + (2 - column + 1) for row, column in places]  # of the token from the others
    scores = torch.stack([q[0, 1, 2, 1] @ k[0, *place, 1] / 3**0.5 for place in places]) + attention.bias[1, offsets]
    wanted = (scores.softmax(0)[:, None] * torch.stack([v[0, *place, 1] for place in places])).sum(0)
    assert torch.allclose(found, wanted, atol=1e-5)
    assert index_offsets(2).diagonal().eq(4).all()


def test_places_differ_and_heads_fit() -> None:
    places = encode_positions(8, 16).flatten(0, 1)
    distances = torch.cdist(places, places) + torch.eye(64)
    assert distances.min() > 0.1
    assert torch.equal(encode_positions(8, 16)[3, :, :8], encode_positions(8, 16)[3, :1, :8].expand(8, 8))  # rows first
    assert [count_heads(width, 32) for width in (512, 256, 64, 32, 6, 2)] == [16, 8, 4, 4, 2, 2]


def test_wavelets_keep_the_energy_and_separate_what_is_fine() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 8, 8)
    bands = compute_wavelets(x)
    assert bands.shape == (2, 12, 4, 4)
    assert torch.allclose(bands.square().sum(), x.square().sum())
    flat = compute_wavelets(torch.ones(1, 1, 4, 4))[0]
    assert torch.equal(flat, torch.tensor([2.0, 0, 0, 0])[:, None, None].expand(4, 2, 2))
    stripes = torch.tensor([1.0, -1.0]).repeat(2).expand(1, 1, 4, 4)  # columns that alternate
    assert compute_wavelets(stripes)[0, :, 0, 0].tolist() == [0, 0, 2, 0]


def test_styles_set_statistics_and_images_of_all_sizes_add_up() -> None:
    torch.manual_seed(0)
    nets = StyleSwin(z_dim=8, w_dim=8, mapping=2, width=16, d_width=8, window=4).build(Spec((3, 16, 16), (), {}))
    G, z = nets["G"], torch.randn(2, 8)
    ws = G.map_to_styles(z)
    assert ws.shape == (2, 6, 8)  # two blocks at 4, 8 and 16 px
    assert torch.equal(G(z), G(ws=ws))
    base = G(z)
    with torch.no_grad():
        G.to_image[0].bias += 1.0
    assert torch.allclose((G(z) - base)[:, :, 8, 8], torch.ones(2, 3), atol=1e-5)  # the first image reaches the last
    scores = nets["D"](base).logits
    assert scores.shape == (2,)


def test_sizes_that_do_not_fit_are_refused() -> None:
    for shape in ((3, 24, 24), (3, 16, 32)):
        with pytest.raises(GanvasError, match="StyleSwin makes square images whose size is a power of two"):
            StyleSwin().build(Spec(shape, (), {}))
    with pytest.raises(SettingError, match="window"):
        StyleSwin(window=6)
    with pytest.raises(SettingError, match="even"):
        StyleSwin(width=5)
