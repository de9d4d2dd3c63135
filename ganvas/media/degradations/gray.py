"""Gray pictures: the source of colourisation."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ...configuration import config
from ...errors import GanvasError
from ..image.bands import LUMA_WEIGHTS


@config
class Gray:
    """The luma of RGB or RGBA as one channel: 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601)."""

    def __call__(self, x: Tensor, generator: torch.Generator) -> Mapping[str, Tensor]:
        if x.shape[1] not in (3, 4):
            raise GanvasError(f"pictures of {x.shape[1]} channels have no colours to find again: give RGB pictures")
        weights = torch.tensor(LUMA_WEIGHTS, dtype=x.dtype, device=x.device)
        return {"source": (x[:, :3] * weights[:, None, None]).sum(1, keepdim=True)}
