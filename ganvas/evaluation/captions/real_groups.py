"""Real pictures of one caption, which tell how much pictures of a caption differ."""

from typing import NamedTuple

import torch
from torch import Tensor

from .captioned_set import CaptionedSet

GROUPS, GROUP_PICTURES = 32, 8


class RealGroups(NamedTuple):
    """Groups of real pictures [n, …] in stored form, of one caption each or, without such, of captions that are alike."""

    pictures: list[Tensor]
    share_captions: bool


def find_real_groups(captioned: CaptionedSet) -> RealGroups:
    """Up to 32 groups of up to 8 pictures that share their first caption; else pairs with the nearest captions."""
    rows = dict[str, list[int]]()
    for k, text in enumerate(captioned.read_first_texts()):
        rows.setdefault(text, []).append(k)
    shared = [numbers[:GROUP_PICTURES] for numbers in rows.values() if len(numbers) > 1][:GROUPS]
    numbers = shared or pair_nearest_captions(captioned)
    pictures = captioned.take("x", torch.tensor([k for group in numbers for k in group]))
    return RealGroups(list(pictures.split([len(group) for group in numbers])), bool(shared))


def pair_nearest_captions(captioned: CaptionedSet) -> list[list[int]]:
    """For each of 32 pictures, itself and the one whose first caption is nearest to its own."""
    sentences = torch.cat([captions[:, 0, :-1] for captions in captioned.load_captions()])
    first = sentences[:GROUPS]
    distances = torch.cdist(first, sentences)
    distances[torch.arange(len(first)), torch.arange(len(first))] = torch.inf
    return [[k, other] for k, other in enumerate(distances.argmin(1).tolist())]
