"""Labels to ask a translator of many domains for: other classes, or one attribute changed."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..core import Condition
from ..data.conditions import name_distinctly

ATTRIBUTE_LIMIT = 0.5  # from here on, a picture has an attribute


def draw_wanted_labels(own_labels: Tensor, condition: Condition, known_labels: Tensor, generator: torch.Generator) -> Tensor:
    """For each label a random one that differs: another class, or one attribute that becomes its opposite.

    Args:
        own_labels: labels, classes int64 [N] or attributes [N, K].
        known_labels: labels of the data, [M] or [M, K]. Attributes that exclude each other follow from them.
        generator: on the CPU.
    """
    if condition.kind == "class":
        return (own_labels + torch.randint(1, max(2, condition.size), own_labels.shape, generator=generator)) % condition.size
    columns = torch.randint(condition.size, (len(own_labels),), generator=generator)
    return change_attributes(own_labels, columns, known_labels)


def change_attributes(own_labels: Tensor, columns: Tensor, known_labels: Tensor) -> Tensor:
    """Attributes [N, K], of which column `columns[i]` of row i becomes its opposite, and others only where they must.

    Each result is the known label that differs least from the own one: a blond head that becomes black is blond no longer.
    """
    known_values = known_labels.unique(dim=0).float()
    rows = torch.arange(len(own_labels))
    has_attribute = own_labels[rows, columns] >= ATTRIBUTE_LIMIT
    is_other = (known_values[:, columns].T >= ATTRIBUTE_LIMIT) != has_attribute[:, None]  # [N, M]
    distances = torch.cdist(own_labels.float(), known_values, p=1).masked_fill(~is_other, float("inf"))
    targets = known_values[distances.argmin(1)]
    targets[~is_other.any(1)] = own_labels.float()[~is_other.any(1)]  # no sample of the data has this column otherwise
    targets[rows, columns] = torch.where(is_other.any(1), targets[rows, columns], 1 - own_labels[rows, columns].float())
    return targets


def list_wanted_labels(own_labels: Tensor, condition: Condition, known_labels: Tensor) -> Iterator[tuple[str, Tensor]]:
    """(the name, labels for all samples) of each class, or of each attribute that becomes its opposite."""
    for k in range(condition.size):
        column = torch.full((len(own_labels),), k)
        is_class = condition.kind == "class"
        yield name_distinctly(condition, k), column if is_class else change_attributes(own_labels, column, known_labels)
