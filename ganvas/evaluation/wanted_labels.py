"""Labels to ask a translator of many domains for: other classes, or one attribute changed."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..core import Condition
from ..data.conditions import name_distinctly

ATTRIBUTE_LIMIT = 0.5  # from here on, a picture has an attribute


def draw_wanted_labels(own: Tensor, condition: Condition, known_labels: Tensor, generator: torch.Generator) -> Tensor:
    """For each label a random one that differs: another class, or one attribute that becomes its opposite.

    Args:
        own: labels, classes int64 [N] or attributes [N, K].
        known_labels: labels of the data, [M] or [M, K]. Attributes that exclude each other follow from them.
        generator: on the CPU.
    """
    if condition.kind == "class":
        return (own + torch.randint(1, condition.size, own.shape, generator=generator)) % condition.size
    columns = torch.randint(condition.size, (len(own),), generator=generator)
    return change_attributes(own, columns, known_labels)


def change_attributes(own: Tensor, columns: Tensor, known_labels: Tensor) -> Tensor:
    """Attributes [N, K], of which column `columns[i]` of row i becomes its opposite, and others only where they must.

    Each result is the known label that differs least from the own one: a blond head that becomes black is blond no longer.
    """
    known = known_labels.unique(dim=0).float()
    rows = torch.arange(len(own))
    has_attribute = own[rows, columns] >= ATTRIBUTE_LIMIT
    is_other = (known[:, columns].T >= ATTRIBUTE_LIMIT) != has_attribute[:, None]  # [N, M]
    distances = torch.cdist(own.float(), known, p=1).masked_fill(~is_other, float("inf"))
    wanted = known[distances.argmin(1)]
    wanted[~is_other.any(1)] = own.float()[~is_other.any(1)]  # no sample of the data has this column otherwise
    wanted[rows, columns] = torch.where(is_other.any(1), wanted[rows, columns], 1 - own[rows, columns].float())
    return wanted


def list_wanted_labels(own: Tensor, condition: Condition, known_labels: Tensor) -> Iterator[tuple[str, Tensor]]:
    """(the name, labels for all samples) of each class, or of each attribute that becomes its opposite."""
    for k in range(condition.size):
        column = torch.full((len(own),), k)
        is_class = condition.kind == "class"
        yield name_distinctly(condition, k), column if is_class else change_attributes(own, column, known_labels)
