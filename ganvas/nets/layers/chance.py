"""Layers that act in evaluation mode as in training, as pix2pix has them. Isola et al. 2017, section 3.3."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MASK_SEED = 0  # of dropout in evaluation mode, so that the same batch always gives the same result


class BatchStatistics(nn.BatchNorm2d):
    """Batch norm by the batch's own statistics in both modes. Only training changes the running ones."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input) if self.training else F.batch_norm(input, None, None, self.weight, self.bias, True)


class ConstantDropout(nn.Module):
    """Drops half of the features in both modes; in evaluation mode always by the same draw for a batch of one shape."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return F.dropout(x, 0.5)
        mask = torch.rand(x.shape, generator=torch.Generator().manual_seed(MASK_SEED)) < 0.5
        return 2 * x * mask.to(x.device, x.dtype)
