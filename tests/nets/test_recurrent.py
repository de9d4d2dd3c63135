"""GRUs of TimeGAN and the networks of DoppelGANger: parameters of the papers' layers, and what comes out."""

import pytest
import torch

from ganvas.core import Field, Spec
from ganvas.errors import GanvasError, SettingError
from ganvas.methods.latents import get_generator
from ganvas.nets import DoppelGANger, SeriesGRUs
from ganvas.nets.series.doppelganger import DoppelGANgerGenerator
from ganvas.nets.series.field_parts import split_fields
from ganvas.nets.series.grus import EmbeddingGenerator, RecurrentLayers
from small_recipes import IMAGE8

T = 24
NUMBERS = Spec((T, 6), tuple(Field(f"n{k}", 1) for k in range(6)), {})
FIELDS = (
    Field("height", 1),
    Field("height.middle", 1, is_static=True, scales="height"),
    Field("town", 3, "categorical", is_static=True),
    Field("height.reach", 1, is_static=True, scales="height"),
    Field("sky", 2, "categorical"),
    Field("age", 1, is_static=True),
    Field("end", 2, "categorical", is_end=True),
)
MIXED = Spec((T, 11), FIELDS, {})
STATICS, RANGES, STEPS = [2, 3, 4, 8], [1, 5], [0, 6, 7, 9, 10]


def count(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_parameters_of_the_grus() -> None:
    """Six columns, three layers of 24: the authors' setting for stocks."""

    def layers(inputs: int, number: int, outputs: int) -> int:
        gru = 3 * 24 * (inputs + 24 + 2) + (number - 1) * 3 * 24 * (24 + 24 + 2)
        return gru + 25 * outputs

    nets = SeriesGRUs().build(NUMBERS)
    assert {name: count(net) for name, net in nets.items()} == {
        "G": layers(6, 3, 24),
        "embedder": layers(6, 3, 24),
        "supervisor": layers(24, 2, 24),
        "recovery": layers(24, 3, 6),
        "D": layers(24, 3, 1),
    }
    assert count(SeriesGRUs(width=10).build(NUMBERS)["recovery"]) == 3 * 3 * 10 * (10 + 10 + 2) + 11 * 6


def test_weights_start_as_in_tensorflow() -> None:
    """Glorot's bounds over inputs and memory: of both gates sqrt(6 / (n + h + 2h)), of the candidate sqrt(6 / (n + h + h))."""
    torch.manual_seed(0)
    net = RecurrentLayers(40, 80, 1, 20)
    of_inputs, of_memory, bias, memory_bias = net.gru.all_weights[0]
    for weight in (of_inputs, of_memory):
        assert float(weight[:160].detach().abs().max()) == pytest.approx((6 / (40 + 80 + 160)) ** 0.5, rel=0.01)
        assert float(weight[160:].detach().abs().max()) == pytest.approx((6 / (40 + 80 + 80)) ** 0.5, rel=0.01)
    assert bias.tolist() == [1.0] * 160 + [0.0] * 80
    assert not memory_bias.any()
    assert float(net.head.weight.detach().abs().max()) == pytest.approx((6 / 100) ** 0.5, rel=0.02)
    assert not net.head.bias.any()


def test_noise_lies_from_0_to_1_and_a_step_sees_its_own_and_earlier_noise() -> None:
    torch.manual_seed(0)
    G = get_generator(SeriesGRUs().build(NUMBERS))
    assert isinstance(G, EmbeddingGenerator)
    assert G.z_dim == T * 6
    z, seen = torch.rand(4, T * 6) * 2 - 1, list[torch.Tensor]()

    def watch(_: torch.nn.Module, inputs: tuple[torch.Tensor]) -> None:
        seen.append(inputs[0])

    G.map.register_forward_pre_hook(watch)
    h = G(z)
    assert torch.allclose(seen[0], (z.view(4, T, 6) + 1) / 2)
    assert h.shape == (4, T, 24)
    moved = z.clone()
    moved[:, 10 * 6 :] = 0.0
    assert torch.equal(G(moved)[:, :10], h[:, :10])
    assert not torch.allclose(G(moved)[:, 10], h[:, 10])


def test_fields_are_told_apart() -> None:
    parts = split_fields(MIXED)
    assert (parts.statics.places, parts.ranges.places, parts.steps.places) == (STATICS, RANGES, STEPS)
    assert parts.statics.sizes.sizes == (3, 1)
    assert parts.end_place == 9
    assert split_fields(NUMBERS).end_place is None
    logits = torch.randn(5, 4)
    x = parts.statics.activate(logits)
    assert torch.allclose(x, torch.cat([logits[:, :3].softmax(1), logits[:, 3:].sigmoid()], 1))
    assert torch.equal(parts.statics.harden(x)[:, :3].argmax(1), x[:, :3].argmax(1))
    assert torch.equal(parts.statics.harden(x)[:, :3].sum(1), torch.ones(5))
    assert torch.equal(parts.statics.harden(x)[:, 3], x[:, 3])


@pytest.mark.parametrize(("passes", "batch"), [(50, 1), (12, 2), (7, 4)])
def test_parameters_of_doppelganger(passes: int, batch: int) -> None:
    """Sizes of the authors' example: layers of 100, an LSTM of 100, critics of five layers of 200, noise of 5."""
    nets = DoppelGANger(passes=passes).build(MIXED)

    def statics(inputs: int, outputs: int) -> int:
        return (inputs + 1) * 100 + 101 * 100 + 4 * 100 + 101 * outputs

    def critic(inputs: int) -> int:
        return (inputs + 1) * 200 + 3 * 201 * 200 + 201

    lstm = 4 * 100 * (5 + 6 + 100 + 2) + 101 * batch * 5
    assert count(nets["G"]) == statics(5, 4) + statics(5 + 4, 2) + lstm
    assert count(nets["D"]) == critic(6 + T * 5)
    assert count(nets["D_statics"]) == critic(6)
    assert nets["G"].z_dim == 2 * 5 + 5 * -(-T // batch) + 2 * 100
    assert nets["G"](torch.randn(3, get_generator(nets).z_dim)).shape == (3, T, 11)


def test_windows_have_statics_at_all_steps_and_nothing_after_their_end() -> None:
    torch.manual_seed(0)
    G = DoppelGANger(passes=7).build(MIXED)["G"]
    assert isinstance(G, DoppelGANgerGenerator)
    G.head.weight.data *= 20
    x = G(torch.randn(300, G.z_dim))
    assert ((x >= 0) & (x <= 1)).all()
    assert torch.equal(x[..., STATICS + RANGES], x[:, :1, STATICS + RANGES].expand(-1, T, -1))
    assert torch.allclose(x[..., 2:5].sum(2), torch.ones(300, T))
    says_over = x[..., 10] > x[..., 9]
    assert (says_over[:, 2:] >= says_over[:, 1:-1]).all()
    is_over = says_over & (torch.arange(T) > 0)
    assert 0.1 < is_over.float().mean() < 0.95
    assert (x[is_over][:, [0, 6, 7, 9]] == 0).all()
    assert (x[is_over][:, 10] == 1).all()
    assert torch.allclose(x[~is_over][:, 6:8].sum(1), torch.ones(()))
    x[..., 0].sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in G.lstm.parameters())
    assert all(p.grad is None or not p.grad.any() for p in G.statics.parameters())  # the LSTM sees statics without gradients


def test_a_window_follows_from_its_latent_alone() -> None:
    torch.manual_seed(0)
    G = get_generator(DoppelGANger().build(MIXED))
    z = torch.randn(20, G.z_dim)
    G(z)
    G.eval()
    assert torch.allclose(G(z)[3:4], G(z[3:4]), atol=1e-6)
    last = z.clone()
    last[:, -200:] = 0  # the LSTM's first state
    assert torch.equal(G(last)[:, 0, STATICS + RANGES], G(z)[:, 0, STATICS + RANGES])
    assert not torch.allclose(G(last)[..., 0], G(z)[..., 0])


def test_the_second_critic_sees_statics_and_ranges_alone() -> None:
    nets = DoppelGANger().build(MIXED)
    x = torch.rand(4, T, 11)
    changed = x.clone()
    changed[..., STEPS] = 0
    assert torch.equal(nets["D_statics"](x).logits, nets["D_statics"](changed).logits)
    assert not torch.equal(nets["D"](x).logits, nets["D"](changed).logits)
    changed = x.clone()
    changed[:, 0, RANGES] = 0
    assert not torch.equal(nets["D_statics"](x).logits, nets["D_statics"](changed).logits)


def test_other_samples_and_settings_are_refused() -> None:
    for nets in (SeriesGRUs(), DoppelGANger()):
        with pytest.raises(GanvasError, match="windows of series"):
            nets.build(IMAGE8)
    with pytest.raises(GanvasError, match="have none: take the recipe timegan"):
        DoppelGANger().build(NUMBERS)
    with pytest.raises(SettingError, match="layers must be from 2"):
        SeriesGRUs(layers=1)
    with pytest.raises(SettingError, match="passes must be from 1"):
        DoppelGANger(passes=0)
