"""Past fakes that D sees again, so that it does not forget what G used to do. Shrivastava et al. 2017, section 2.3.

The rule is that of CycleGAN's code: until it is full, a pool stores every fake. Then each fake, with a probability of one half,
takes the place of a stored one, which D sees instead.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Swaps(NamedTuple):
    """What a batch of fakes does to a pool, one after another.

    shown: for each fake, what D sees instead: its row in the batch, or -1 - slot for a fake of the pool.
    written: the rows that slots hold afterwards.
    fake_count: how many slots hold a fake afterwards.
    """

    shown: list[int]
    written: dict[int, int]
    fake_count: int


class ImagePool(nn.Module):
    """Up to `size` fakes of one shape, fp32. It is saved with the networks."""

    fakes: Tensor
    saved_count: Tensor

    def __init__(self, size: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.size = size
        self.count = 0  # a copy of the buffer, because reading it from a GPU in every step is slow
        self.register_buffer("fakes", torch.zeros(size, *shape))
        self.register_buffer("saved_count", torch.zeros((), dtype=torch.int64))
        self.register_load_state_dict_post_hook(ImagePool.restore_count)

    @staticmethod
    def restore_count(pool: nn.Module, _: object) -> None:
        assert isinstance(pool, ImagePool)
        pool.count = int(pool.saved_count)

    def draw_slots(self, n: int) -> Tensor:
        """For each of n fakes the slot that it takes in a full pool, or -1 for none: int64 [n] on the CPU."""
        slots = torch.randint(self.size, (n,))
        return torch.where(torch.rand(n) < 0.5, slots, -1)

    def plan_swaps(self, slots: Tensor) -> Swaps:
        count, shown, written = self.count, list[int](), dict[int, int]()
        for row, slot in enumerate(slots.tolist()):
            if count < self.size:
                shown.append(row)
                written[count] = row
                count += 1
            elif slot < 0:
                shown.append(row)
            else:
                shown.append(written[slot] if slot in written else -1 - slot)
                written[slot] = row
        return Swaps(shown, written, count)

    def replace_some(self, fakes: Tensor, slots: Tensor) -> Tensor:
        """What D sees in place of fakes [N, …]. The pool stays as it is."""
        shown = self.plan_swaps(slots).shown
        old_rows = [row for row, origin in enumerate(shown) if origin < 0]
        mixed = fakes[[max(0, origin) for origin in shown]]
        if old_rows:
            mixed[old_rows] = self.fakes[[-1 - shown[row] for row in old_rows]].to(mixed.dtype)
        return mixed

    def store(self, fakes: Tensor, slots: Tensor) -> None:
        """Put fakes [N, …] into their slots."""
        _, written, self.count = self.plan_swaps(slots)
        if written:
            self.fakes[list(written)] = fakes[list(written.values())].to(self.fakes.dtype)
        self.saved_count.fill_(self.count)
