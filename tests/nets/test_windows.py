"""Networks of windows: statics stay, what is over is over, and known cells stay."""

import pytest
import torch

from ganvas import recipes
from ganvas.core import Field, Spec
from ganvas.errors import GanvasError
from ganvas.methods.latents import get_generator
from ganvas.nets import WindowConvolutions
from ganvas.nets.series.critic import PatchLayer, WindowCritic, count_patches
from ganvas.nets.series.fields import WindowFields
from ganvas.nets.series.generator import build_cosines, interpolate_steps
from small_recipes import IMAGE8, noise, small

FIELDS = (
    Field("station", 2, "categorical", (0.5, 0.5), is_static=True),
    Field("wind", 2, "categorical", (0.5, 0.5)),
    Field("wind.rank", 1, where=("wind", 0)),
    Field("height.rank", 1, is_static=True),
    Field("end", 2, "categorical", (0.5, 0.5), is_end=True),
)
SPEC = Spec((30, 8), FIELDS, {})


def count_z(nets: torch.nn.ModuleDict) -> int:
    return get_generator(nets).z_dim


@pytest.mark.parametrize("steps", [2, 7, 30, 200])
def test_windows_of_any_length(steps: int) -> None:
    torch.manual_seed(0)
    nets = WindowConvolutions().build(SPEC._replace(shape=(steps, 8)))
    x = nets["G"](torch.randn(3, count_z(nets)))
    assert x.shape == (3, steps, 8)
    output = nets["D"](x)
    assert output.logits.shape == (3,)
    output.logits.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in nets["G"].parameters())


def test_statics_are_the_same_at_all_steps_and_what_is_over_stays_over() -> None:
    torch.manual_seed(0)
    x = WindowFields(SPEC).draw(torch.randn(200, 30, 8), torch.rand(200, 30, 3)).detach()
    assert (x[..., [0, 1, 5]] == x[:, :1, [0, 1, 5]]).all()
    assert 0.3 < x[:, 0, 0].mean() < 0.7
    over = x[..., 7] > 0.5
    assert (over[:, 1:] >= over[:, :-1]).all()
    assert not over[:, 0].any()
    assert over[:, -1].float().mean() > 0.9
    assert (x[over][:, 2:5].abs() < 1e-6).all()
    assert torch.allclose(x[~over][:, 2:4].sum(1), torch.ones(()))
    assert torch.allclose(x[..., 6] + x[..., 7], torch.ones(()))


def test_gradients_reach_the_end_through_what_it_removes() -> None:
    outputs = torch.zeros(50, 30, 8, requires_grad=True)
    x = WindowFields(SPEC).draw(outputs, torch.rand(50, 30, 3))
    x[..., 2].sum().backward()
    assert outputs.grad is not None
    starts = [start for group in WindowFields(SPEC).rows.groups for start in group.starts]
    place = 2 * starts.index(6)  # outputs of pairs of values come first
    assert outputs.grad[..., place].abs().sum() > 0


def test_curves_are_orthogonal() -> None:
    curves = build_cosines(12, 24)
    assert torch.allclose(curves @ curves.T, torch.diag(torch.tensor([24.0] + 11 * [12.0])), atol=1e-4)


@pytest.mark.parametrize("steps", [2, 3, 4, 5, 6, 17, 24])
def test_patches_are_counted_as_they_come(steps: int) -> None:
    assert PatchLayer(3, 5)(torch.zeros(2, steps, 3)).shape == (2, count_patches(steps), 5)


def test_the_critic_sees_changes_from_step_to_step() -> None:
    torch.manual_seed(0)
    D = WindowConvolutions().build(SPEC)["D"]
    assert isinstance(D, WindowCritic)
    ranks = torch.tensor([[[0.0, 0.0], [0.05, 1.0], [0.05, 0.5]]])
    fine, coarse = D.look_at_ranks(ranks)[1], D.look_at_ranks(ranks)[0]
    assert torch.allclose(fine[0, :, 0], torch.tensor([0.0, 0.8, 0.0]).tanh())
    assert torch.allclose(coarse[0, :, 1], torch.tensor([0.0, 2.0, -1.0]).tanh())


def test_known_cells_come_out_as_they_are_and_the_critic_is_told() -> None:
    recipe = small(recipes.find_recipe("series"))
    data = noise(recipe)
    nets = recipe.nets.build(data.spec)
    batch = data.batch(0, 200)
    cells = batch["cells"]
    x = nets["G"](torch.randn(200, count_z(nets)), cells)
    known = cells[:, 1] > 0
    assert 0 < known.float().mean() < 0.4
    assert torch.equal(x[known], batch["x"][known])
    assert not torch.equal(x, batch["x"])
    assert not torch.equal(nets["D"](batch["x"], cells).logits, nets["D"](batch["x"], 0 * cells).logits)


def test_values_between_known_ones_lie_on_a_line() -> None:
    values = torch.tensor([[0.0, 9.0, 3.0, 9.0, 9.0, 9.0, 7.0, 9.0]])[..., None]
    is_known = torch.tensor([[False, False, True, False, False, False, True, False]])[..., None]
    assert interpolate_steps(values, is_known)[0, :, 0].tolist() == [3, 3, 3, 4, 5, 6, 7, 7]
    assert not interpolate_steps(values, ~is_known & is_known).any()
    assert torch.equal(interpolate_steps(values, is_known | True), values)


def test_anchored_ranks_go_on_from_known_ones() -> None:
    """The first steps are known: what follows has the network's changes. A spike has no rank to go on from."""
    torch.manual_seed(0)
    G = WindowConvolutions(is_anchored=True).build(SPEC)["G"]
    outputs, cells = torch.randn(3, 30, 8), torch.zeros(3, 2, 30, 8)
    assert torch.equal(G.anchor_ranks(outputs, cells), outputs)
    cells[:, 1, :4], cells[:, 0, :4, 4:6] = 1.0, 2.0
    cells[:, 0, 2:4, 2] = 1.0  # of four known steps, the last two have a wind's rank
    ranks, before = G.anchor_ranks(outputs, cells)[..., -2:], outputs[..., -2:]
    torch.testing.assert_close(ranks[:, 2:4], torch.full((3, 2, 2), 2.0))
    torch.testing.assert_close(ranks[:, :4, 1], torch.full((3, 4), 2.0))
    torch.testing.assert_close(ranks[:, 3:].diff(dim=1), before[:, 3:].diff(dim=1))
    torch.testing.assert_close(ranks[:, :3, 0].diff(dim=1), before[:, :3, 0].diff(dim=1))


def test_pictures_are_refused() -> None:
    with pytest.raises(GanvasError, match="windows of series"):
        WindowConvolutions().build(IMAGE8)
