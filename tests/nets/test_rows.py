"""Networks of rows: values are drawn at their shares, ranks count only beside their value, known cells stay."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganvas.core import Field, Spec
from ganvas.errors import GanvasError
from ganvas.nets import RowPerceptrons
from ganvas.nets.tables.fields import RowFields, draw_values
from small_recipes import IMAGE8, noise, small

FIELDS = (
    Field("a", 3, "categorical", (0.2, 0.5, 0.3)),
    Field("a.rank", 1, where=("a", 1)),
    Field("b", 2, "categorical", (0.9, 0.1)),
    Field("c", 3, "categorical", (0.1, 0.1, 0.8)),
    Field("d.rank", 1),
)
SPEC = Spec((10,), FIELDS, {})


def test_at_the_start_values_are_drawn_at_the_shares_of_the_data() -> None:
    torch.manual_seed(0)
    G = RowPerceptrons().build(SPEC)["G"]
    for parameter in G.last.parameters():
        if parameter.dim() == 2:
            parameter.data.zero_()
    x = G(torch.randn(20_000, G.z_dim)).detach()
    expected = torch.tensor([0.2, 0.5, 0.3, 0.9, 0.1, 0.1, 0.1, 0.8])
    assert torch.allclose(x[:, [0, 1, 2, 4, 5, 6, 7, 8]].mean(0), expected, atol=0.015)


@given(st.lists(st.floats(0.01, 1.0), min_size=2, max_size=6), st.floats(0.0, 0.999))
def test_a_value_is_the_one_whose_interval_holds_the_number(weights: list[float], u: float) -> None:
    shares = torch.tensor(weights, dtype=torch.float64) / math.fsum(weights)
    hot = draw_values(shares.view(1, 1, -1), torch.tensor([[u]], dtype=torch.float64))[0, 0]
    ends = shares.cumsum(0)
    value = int(hot.argmax())
    assert hot.sum() == 1
    assert value == len(weights) - 1 or u <= ends[value] + 1e-9
    assert value == 0 or u >= ends[value - 1] - 1e-9


def test_each_part_lies_at_its_place_and_a_rank_is_0_beside_other_values() -> None:
    fields = RowFields(SPEC)
    outputs = torch.full((2, 10), -50.0)
    order = [4, 5, 0, 1, 2, 6, 7, 8, 3, 9]  # fields of two values first, then those of three, then ranks
    wanted = torch.tensor([[0, 1, 0, 7, 1, 0, 0, 0, 1, -2], [1, 0, 0, 7, 0, 1, 0, 1, 0, -2]], dtype=torch.float32)
    outputs = torch.where(wanted[:, order] == 0, outputs, 50 * wanted[:, order])
    outputs[:, 8:] = wanted[:, [3, 9]]
    x = fields.draw(outputs, torch.full((2, 3), 0.5))
    expected = wanted.clone()
    expected[1, 3] = 0  # another value than 1 was drawn
    assert torch.allclose(x, expected)


def test_gradients_reach_the_shares_through_drawn_values() -> None:
    fields = RowFields(SPEC)
    outputs = torch.zeros(4, 10, requires_grad=True)
    fields.draw(outputs, torch.rand(4, 3))[:, 0].sum().backward()
    gradient = outputs.grad
    assert gradient is not None
    assert torch.allclose(gradient[0, 2:5], torch.tensor([2 / 9, -1 / 9, -1 / 9]))  # of a softmax of three equal outputs


def test_known_cells_come_out_as_they_are_and_the_critic_is_told() -> None:
    from ganvas import recipes

    recipe = small(recipes.find_recipe("table"))
    data = noise(recipe)
    nets = recipe.nets.build(data.spec)
    batch = data.batch(0, 64)
    cells = batch["cells"]
    x = nets["G"](torch.randn(64, nets["G"].z_dim), cells)
    known = cells[:, 1] > 0
    assert 0 < known.float().mean() < 0.6
    assert torch.equal(x[known], batch["x"][known])
    assert not torch.equal(x, batch["x"])
    D = nets["D"]
    told = D(batch["x"], cells).logits
    assert not torch.equal(told, D(batch["x"], torch.zeros_like(cells)).logits)


def test_pictures_are_refused() -> None:
    with pytest.raises(GanvasError, match="rows of a table"):
        RowPerceptrons().build(IMAGE8)
