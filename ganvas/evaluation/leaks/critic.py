"""What D says of samples that it has seen, and of others. Hayes et al. 2019 (LOGAN), section 4.1: the white box."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from ...core import seeded_generator
from ...data.columns import load_batch
from ...data.rows import take_rows
from ...errors import GanvasError
from ...methods.critics import build_critic
from ...sampling.generator import Sampler
from ...sampling.stream import count_block_samples
from .targets import Targets


def measure_logits(sampler: Sampler, targets: Targets, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """D's logits of members [N] and of others [M]; of patches, their mean. Nothing is known of the cells of a row.

    Batches mix both sides: where D compares the samples of a batch, a batch of members alone would give them away.

    Raises:
        GanvasError: others without the labels that D takes.
    """
    if missing := list_missing_conditions(sampler, targets):
        raise GanvasError(f"{targets.other_title} has no {missing[0]}, which D was trained with: give samples that have one")
    names = [name for name in targets.members if name in targets.others]
    joined = {name: torch.cat([targets.members[name], targets.others[name]]) for name in names}
    total = len(joined["x"])
    order = torch.randperm(total, generator=seeded_generator(seed, "order of logits"))
    logits = np.empty(total)
    for rows in order.split(count_block_samples(sampler.spec)):
        logits[rows.numpy()] = _ask_critic(sampler, take_rows(joined, rows))
    count = len(targets.members["x"])
    return logits[:count], logits[count:]


def list_missing_conditions(sampler: Sampler, targets: Targets) -> list[str]:
    """What D was trained with and held-out samples lack, such as "label"."""
    return [name for name in sampler.traits.conditions if name in targets.members and name not in targets.others]


def explain_unusable_critic(sampler: Sampler, targets: Targets) -> str:
    """Why D cannot be asked about both sides; "" if it can."""
    if not sampler.traits.critics:
        return "this run has no D, so no attack by its logit"
    if missing := list_missing_conditions(sampler, targets):
        name = missing[0]
        return f"{targets.other_title} has no {name}, and D takes one: no attack by its logit. Give samples that have a {name}"
    return ""


def _ask_critic(sampler: Sampler, stored: Mapping[str, Tensor]) -> np.ndarray:
    """The logits [N] of stored samples."""
    batch = {name: value.to(sampler.device) for name, value in load_batch(sampler.codec, stored, None).items()}
    conditions = {name: batch[name] for name in sampler.traits.conditions}
    with torch.inference_mode():
        logits = build_critic(sampler.nets, conditions, sampler.traits.critics[0])(batch["x"]).logits
    return logits.reshape(len(batch["x"]), -1).mean(1).double().cpu().numpy()
