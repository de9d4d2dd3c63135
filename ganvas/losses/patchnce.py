"""Patches of a translation match those of its source, against other patches. Park et al. 2020 (CUT), eqs. 3 and 4."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ..configuration import config
from ..errors import GanvasError, require


@config
class PatchNCE:
    """weight times the mean over layers and places of -log softmax(q·k/temperature) at the same place.

    patches: how many places of each layer are compared.
    negatives: other places of the same "image", as in the paper, or of all images of the "batch".
    """

    weight: float = 1.0
    temperature: float = 0.07
    patches: int = 256
    negatives: Literal["image", "batch"] = "image"

    def __post_init__(self) -> None:
        require(self.weight >= 0, "weight", self.weight, "0 or more")
        require(self.temperature > 0, "temperature", self.temperature, "above 0")
        require(self.patches >= 2, "patches", self.patches, "2 or more, one of which is the right one")

    def __call__(self, queries: Mapping[str, Tensor], keys: Mapping[str, Tensor]) -> Tensor:
        """[N], from points of length 1 on translations and on their sources, [N, P, C] each, by the layer's name.

        Keys get no gradient, as in the paper.

        Raises:
            GanvasError: queries and keys of different layers.
        """
        if not queries or set(queries) != set(keys):
            raise GanvasError(f"PatchNCE compares the same layers, got queries of {list(queries)} and keys of {list(keys)}")
        losses = [self.contrast_places(query, keys[name]).mean(1) for name, query in queries.items()]
        return self.weight * torch.stack(losses).mean(0)

    def contrast_places(self, query: Tensor, key: Tensor) -> Tensor:
        """-log softmax at each place: [N, P, C] twice -> [N, P].

        The authors put the positive in a column of its own, and -10 on the diagonal of the negatives. Cosines are at least -1
        and the temperature is small, so the -10 counts nothing: this is the plain cross-entropy with the diagonal as target.
        """
        count = query.shape[0] * query.shape[1]
        if self.negatives == "batch":
            query, key = query.reshape(1, count, -1), key.reshape(1, count, -1)
        with torch.autocast(query.device.type, enabled=False):
            logits = query.float() @ key.detach().float().transpose(1, 2) / self.temperature  # [N, P, P]
        targets = torch.arange(logits.shape[2], device=logits.device).expand(len(logits), -1)
        return cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view(-1, query.shape[1])
