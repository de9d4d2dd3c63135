"""What extractors of images share: which images they take, and what becomes of 16 bits and of odd channels."""

import numpy as np
import pytest
import torch

from ganvas.errors import GanvasError
from ganvas.extractors import FashionClassifier
from ganvas.extractors.images import check_images, extract_in_batches, to_eight_bits, to_three_channels


def test_sixteen_bits_become_eight():
    values = torch.arange(65536, dtype=torch.int32).to(torch.uint16).reshape(1, 256, 256, 1)
    expected = np.round(np.arange(65536) / 257).astype(np.uint8).reshape(1, 256, 256, 1)
    np.testing.assert_array_equal(to_eight_bits(values).numpy(), expected)
    every = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1)
    assert torch.equal(to_eight_bits((every.int() * 257).to(torch.uint16)), every)
    assert to_eight_bits(every).data_ptr() == every.data_ptr()


@pytest.mark.parametrize(("channels", "seen"), [(1, [0, 0, 0]), (2, [0, 1, 0]), (3, [0, 1, 2]), (4, [0, 1, 2]), (9, [0, 1, 2])])
def test_three_channels_of_any_number(channels, seen):
    stored = torch.randint(0, 256, (2, 5, 4, channels), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    x = to_three_channels(stored)
    assert x.shape == (2, 3, 5, 4)
    assert torch.equal(x, stored[..., seen].permute(0, 3, 1, 2).float())


def test_the_classifier_sees_sixteen_bits_as_eight():
    stored = torch.randint(0, 256, (4, 12, 12, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    scored, wide = FashionClassifier()(stored), FashionClassifier()((stored.int() * 257).to(torch.uint16))
    np.testing.assert_array_equal(scored.features, wide.features)


@pytest.mark.parametrize("stored", [torch.zeros(3, 4), torch.zeros(3, 4, 4, 1), torch.zeros(3, 4, 4, dtype=torch.uint8)])
def test_what_is_no_image_is_refused(stored):
    with pytest.raises(GanvasError, match=r"mine: needs .* got (float32|uint8) \[3, 4.*use Pixels"):
        check_images(stored, "mine")


def test_batches_are_laid_end_to_end():
    sizes = []

    def forward(x):
        sizes.append(len(x))
        return torch.cat([x, x + 1], 1).float(), x.float()

    scored = extract_in_batches(torch.arange(7)[:, None], 3, (2, 1), forward)
    assert sizes == [3, 3, 1]
    np.testing.assert_array_equal(scored.features, np.stack([np.arange(7.0), np.arange(1.0, 8)], 1))
    np.testing.assert_array_equal(scored.logits, np.arange(7.0)[:, None])
