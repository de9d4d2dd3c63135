"""A small network that tells which caption belongs to a picture, trained for scores alone: no game sees it.

The objective is that of Radford et al. 2021: each picture of a batch finds its caption, and each caption its picture.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MAX_SIDE = 32  # px: larger pictures are shrunk, for a quarter of the time
LARGEST_SHIFT = 2  # px, of training pictures at random
LOGIT_SCALE = 2.6  # its logarithm, at the start


class MatchingNetwork(nn.Module):
    """Pictures [N, C, H, W] in [-1, 1] and sentences [N, D] -> vectors of one space, and attributes of pictures.

    Args:
        attribute_sizes: how many values each attribute has.
    """

    def __init__(self, shape: tuple[int, ...], text_size: int, attribute_sizes: Sequence[int], width: int, size: int) -> None:
        super().__init__()
        side = min(MAX_SIDE, min(shape[1:]))
        widths = [shape[0], *[width * factor for factor in (1, 2, 4, 6)][: max(1, side.bit_length() - 3)]]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            for first, stride in ((inputs, 2), (outputs, 1)):
                layers += [nn.Conv2d(first, outputs, 3, stride, 1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        head = [nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Dropout(0.2), nn.Linear(widths[-1] * 16, 2 * size), nn.ReLU()]
        self.body = nn.Sequential(*layers, *head)
        self.picture_vector, self.text_vector = nn.Linear(2 * size, size), nn.Linear(text_size, size)
        self.attributes = nn.ModuleList(nn.Linear(2 * size, values) for values in attribute_sizes)
        self.log_scale = nn.Parameter(torch.tensor(LOGIT_SCALE))

    def see(self, x: Tensor) -> Tensor:
        """Pictures -> features [N, 2 * size]."""
        if max(x.shape[2:]) > MAX_SIDE:
            x = F.adaptive_avg_pool2d(x, (min(MAX_SIDE, x.shape[2]), min(MAX_SIDE, x.shape[3])))
        return self.body(x)


def measure_matching_loss(network: MatchingNetwork, x: Tensor, sentences: Tensor, attributes: Tensor | None) -> Tensor:
    """The cross-entropy of captions of pictures, of pictures of captions, and of attributes int64 [N, A].

    Equal captions share the credit, so that a batch may hold several.
    """
    features = network.see(x)
    pictures = F.normalize(network.picture_vector(features), dim=1)
    captions = F.normalize(network.text_vector(sentences), dim=1)
    logits = network.log_scale.exp() * pictures @ captions.T
    is_equal = (sentences[:, None] == sentences[None]).all(2).float()
    targets = is_equal / is_equal.sum(1, keepdim=True)
    loss = -(targets * (logits.log_softmax(1) + logits.log_softmax(0))).sum(1).mean()
    if attributes is not None:
        for k, head in enumerate(network.attributes):
            loss = loss + F.cross_entropy(head(features), attributes[:, k])
    return loss


def shift_pictures(x: Tensor, generator: torch.Generator) -> Tensor:
    """All pictures moved by up to 2 px, around the edges."""
    shifts = torch.randint(-LARGEST_SHIFT, LARGEST_SHIFT + 1, (2,), generator=generator).tolist()
    return x.roll(shifts, (2, 3))
