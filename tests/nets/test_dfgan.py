"""DF-GAN's networks: the published counts of parameters, its definition, and what they read of a caption."""

from math import prod

import pytest
import torch
from torch.nn import functional as F

from ganvas.core import Spec
from ganvas.errors import GanvasError
from ganvas.nets import DFGAN
from ganvas.nets.dfgan import ConditionedAffine, Discriminator, DownBlock, Generator, UpBlock
from small_recipes import IMAGE8, text_condition


def count(net: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def texts(n: int, size: int = 12, words: int = 5) -> torch.Tensor:
    text = torch.randn(n, 1 + words, size + 1, generator=torch.Generator().manual_seed(1))
    text[..., -1] = 1
    return text


def test_published_parameter_counts() -> None:
    """The authors' code, with their sentences of 256 numbers. It counts D without the two convolutions that see the text."""
    G, D = Generator(100, 32, 6, 3, 256), Discriminator(32, 6, 3, 256)
    assert count(G) == 9_744_131
    assert count(D.layers) == 6_619_206
    assert count(D) - count(D.layers) == 9 * (256 + 256) * 64 + 4 * 4 * 64


def test_the_networks_fit_the_data() -> None:
    nets = DFGAN(width=2, z_dim=3).build(Spec((3, 16, 16), (), {"text": text_condition()}))
    text = text_condition().draw(2, None)
    x = nets["G"](torch.randn(2, 3), text)
    assert x.shape == (2, 3, 16, 16)
    verdict = nets["D"](x, text)
    assert verdict.logits.shape == (2,)
    assert verdict.features.shape == (2, prod((4, 4, 4)))
    free = DFGAN(width=2, z_dim=3, bounded=False).build(Spec((3, 16, 16), (), {"text": text_condition()}))
    free.load_state_dict(nets.state_dict())
    z = torch.randn(2, 3)
    assert torch.allclose(free["G"](z, text).tanh(), nets["G"](z, text))
    with pytest.raises(GanvasError, match="DFGAN makes square images whose size is a power of two"):
        DFGAN().build(Spec((3, 24, 24), (), {"text": text_condition()}))
    with pytest.raises(GanvasError, match="the data has no captions"):
        DFGAN().build(IMAGE8)


def test_a_block_is_what_the_paper_draws() -> None:
    """Figure 4: double, then fusion and convolution twice, beside a 1x1 convolution. Ours doubles later, with equal numbers."""
    torch.manual_seed(0)
    block = UpBlock(3, 5, 4).double()
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    x, condition = torch.randn(2, 3, 6, 6).double(), torch.randn(2, 4).double()
    doubled = F.interpolate(x, scale_factor=2.0)
    h = block.first(block.first_fusion(doubled, condition))
    expected = block.second(block.second_fusion(h, condition)) + block.shortcut(doubled)
    torch.testing.assert_close(block(x, condition), expected)
    down = DownBlock(3, 5).double()
    down.weight.data.fill_(0.7)
    torch.testing.assert_close(down(x), F.avg_pool2d(down.shortcut(x), 2) + 0.7 * down.residual(x))


def test_it_starts_without_the_text_and_learns_to_use_it() -> None:
    affine, x = ConditionedAffine(3, 4), torch.randn(2, 3, 5, 5)
    assert torch.equal(affine(x, torch.randn(2, 4)), x)
    torch.manual_seed(0)
    G, z, text = Generator(2, 2, 1, 1, 12), torch.randn(3, 2), texts(3)
    assert torch.equal(G(z, text), G(z, text.roll(1, 0)))
    G(z, text).square().sum().backward()
    gradients = [parameter.grad for name, parameter in G.named_parameters() if ".gain.2." in name]
    assert gradients
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients)


def test_both_read_the_sentence_alone() -> None:
    torch.manual_seed(0)
    G, D, z, text = Generator(2, 2, 1, 1, 12), Discriminator(2, 1, 1, 12), torch.randn(3, 2), texts(3)
    for parameter in G.parameters():
        torch.nn.init.normal_(parameter)
    x = G(z, text)
    other_words, other_sentence = text.clone(), text.clone()
    other_words[:, 1:] = 0
    other_sentence[:, 0, 0] += 1
    assert torch.equal(G(z, other_words), x)
    assert torch.equal(D(x, other_words).logits, D(x, text).logits)
    assert not torch.equal(G(z, other_sentence), x)
    assert not torch.equal(D(x, other_sentence).logits, D(x, text).logits)
