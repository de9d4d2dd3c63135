"""GAT: positions that turn, attention, levels that add up, sizes."""

import pytest
import torch
from torch.nn import functional as F

from ganvas.core import Spec
from ganvas.errors import GanvasError, SettingError
from ganvas.nets import GAT
from ganvas.nets.gat.blocks import LAYER_SCALE, CriticBlock, ShiftedBlock, StyledBlock
from ganvas.nets.gat.rotary import Rotation
from ganvas.nets.layers.attending import attend
from small_recipes import class_condition

SMALL = GAT(z_dim=4, width=16, depth=6, heads=2)


def build(shape: tuple[int, int, int] = (3, 16, 24), architecture: GAT = SMALL, classes: int = 0) -> torch.nn.ModuleDict:
    torch.manual_seed(0)
    return architecture.build(Spec(shape, (), {"label": class_condition(classes)} if classes else {}))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_equals_pytorchs(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, 3, 5, 8).to(dtype) for _ in range(3))
    bias = torch.randn(3, 5, 5)
    for given in (None, bias):
        wanted = F.scaled_dot_product_attention(q.float(), k.float(), v.float(), given)
        assert (attend(q, k, v, given).float() - wanted).abs().max() < (1e-5 if dtype == torch.float32 else 3e-2)


def test_scores_depend_on_how_far_tokens_lie_apart() -> None:
    torch.manual_seed(0)
    rotation = Rotation((4, 5), 8, leading=1)
    q, k = (torch.randn(8).expand(1, 21, 1, 8) for _ in range(2))  # the same numbers at each place
    scores = (rotation(q)[0, :, 0] @ rotation(k)[0, :, 0].t())[1:, 1:].view(4, 5, 4, 5)
    assert torch.allclose(scores[0, 0, 1, 2], scores[2, 1, 3, 3], atol=1e-5)
    assert torch.allclose(scores[3, 4, 1, 1], scores[2, 3, 0, 0], atol=1e-5)
    assert not torch.allclose(scores[0, 0, 1, 2], scores[0, 0, 2, 1], atol=1e-3)  # rows and columns differ
    assert torch.allclose(rotation(q)[:, 0], q[:, 0])  # the class token has no place
    assert torch.allclose(rotation(q).norm(dim=-1), q.norm(dim=-1), atol=1e-5)


def test_each_level_adds_to_the_one_before_and_the_last_is_the_sample() -> None:
    G = build()["G"]
    z, seen = torch.randn(2, 4), list[torch.Tensor]()
    for head in G.heads:
        head.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    G.shows_levels = True
    levels = G(z).unflatten(1, (4, 3))
    G.shows_levels = False
    for level in range(4):
        assert torch.allclose(levels[:, level], G.join_patches(torch.stack(seen[: level + 1]).sum(0)), atol=1e-5)
    assert torch.equal(levels[:, -1], G(z))
    assert G.head_places == [1, 2, 4, 5]  # after each quarter of 6 blocks, rounded up


def test_patches_lie_where_they_belong() -> None:
    G = build()["G"]
    patches = torch.zeros(1, 24, 3 * 16)  # 4 rows of 6 patches
    patches[0, 8] = 1.0  # second row, third column
    image = G.join_patches(patches)
    assert image.shape == (1, 3, 16, 24)
    assert image[0, :, 4:8, 8:12].eq(1).all()
    assert image.sum() == 3 * 16


def test_an_image_is_the_same_at_all_levels_for_d() -> None:
    D, x = build()["D"], torch.randn(2, 3, 16, 24)
    assert torch.equal(D(x).logits, D(torch.cat([x] * 4, 1)).logits)
    changed = torch.cat([x] * 4, 1)
    changed[:, 0] += 1
    assert not torch.allclose(D(x).logits, D(changed).logits, atol=1e-4)  # it sees the first level too


def test_images_start_plain_and_styles_reach_every_token() -> None:
    torch.manual_seed(0)
    nets = build(classes=3)
    for block in nets["G"].blocks:
        assert isinstance(block, StyledBlock)
        assert block.style.weight.std().item() == pytest.approx(0.1 * (2 / (5 * 16)) ** 0.5, rel=0.1)  # a tenth of Glorot's
    for block in nets["D"].blocks:
        assert isinstance(block, CriticBlock)
        assert block.scale.eq(LAYER_SCALE).all()
    assert nets["G"].mapping.layers[0].weight.std().item() == pytest.approx(100, rel=0.3)  # a hundredth of the learning rate
    z = torch.randn(2, 4)
    assert not nets["G"](z, torch.tensor([0, 1])).any()
    for head in nets["G"].heads:
        torch.nn.init.xavier_uniform_(head.last.weight)
    x = nets["G"](z, torch.tensor([0, 1]))
    assert ((x[0] - x[1]).abs().amax(0) > 1e-3).all()


@pytest.mark.parametrize(
    ("width", "depth", "heads", "sizes"),
    [(384, 12, 6, (29.8, 21.4)), (768, 12, 12, (118.0, 85.2)), (1024, 24, 16, (410.5, 302.3)), (1152, 28, 16, (604.5, 446.5))],
    ids=["S", "B", "L", "XL"],
)
def test_published_sizes(width: int, depth: int, heads: int, sizes: tuple[float, float]) -> None:
    """Millions of parameters as we build them, on codes 4 x 32 x 32 with 1,000 classes; the paper's counts are unchecked."""
    with torch.device("meta"):
        architecture = GAT(width=width, depth=depth, heads=heads, patch=2)
        nets = architecture.build(Spec((4, 32, 32), (), {"label": class_condition(1000)}))
    found = tuple(sum(p.numel() for p in nets[name].parameters()) / 1e6 for name in "GD")
    assert found == pytest.approx(sizes, abs=0.05)


def test_styles_that_shift_are_strong_and_what_they_gate_is_normalised() -> None:
    torch.manual_seed(0)
    block = ShiftedBlock(16, 2, 16)
    rotation, x, w = Rotation((2, 3), 8), torch.randn(2, 6, 16), torch.randn(1000, 16)
    assert block.style(w).std().item() == pytest.approx(1, rel=0.1)
    torch.nn.init.zeros_(block.style.weight)
    with torch.no_grad():
        block.style.bias.unflatten(0, (6, 16))[2] = 1.0  # the gate of attention; that of the MLP stays closed
    added = block(x, w[:2], rotation) - x
    assert torch.allclose(added.square().mean(-1), torch.ones(2, 6), atol=1e-3)
    with torch.no_grad():
        block.style.bias.unflatten(0, (6, 16))[1] = 1.0  # the shift of its inputs
    assert not torch.allclose(block(x, w[:2], rotation) - x, added, atol=1e-3)


def test_d_cuts_patches_of_its_own() -> None:
    nets = build((3, 16, 24), GAT(z_dim=4, width=16, depth=4, heads=2, patch=2, d_patch=4))
    assert (nets["G"].grid, nets["D"].rotation.cos.shape[0]) == ((8, 12), 1 + 4 * 6)
    assert nets["D"](nets["G"](torch.randn(2, 4))).logits.shape == (2,)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(GanvasError, match="patches of 5x5 px, which do not fill 24x16"):
        build((3, 16, 24), GAT(z_dim=4, width=16, depth=4, heads=2, d_patch=5))
    with pytest.raises(GanvasError, match=r"patches of 4x4 px, which do not fill 18x16 .* multiple of 4, or `patch` and `d"):
        build((3, 16, 18))
    with pytest.raises(GanvasError, match="makes images"):
        SMALL.build(Spec((4,), (), {}))
    with pytest.raises(SettingError, match="width"):
        GAT(width=100, heads=3)
    with pytest.raises(SettingError, match="d_width"):
        GAT(width=128, heads=2, d_width=96)
