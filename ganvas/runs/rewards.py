"""A run's reward: RUN/reward.safetensors holds its tensors, RUN/reward.json what it was learnt from and how good it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialise_tensors

from ..errors import GanvasError
from ..nets.reward import Reward
from ..system.files import explain_os_errors, read_json, write_atomically, write_json

REWARD_FILE, REWARD_CARD_FILE = "reward.safetensors", "reward.json"


def save_reward(run: Path, reward: Reward, card: Mapping[str, Any]) -> None:
    """Write a reward and its card into a run's folder. They replace an older reward."""
    data = serialise_tensors({name: value.cpu().contiguous().clone() for name, value in reward.state_dict().items()})
    with explain_os_errors("writing the reward", run):
        write_atomically(run / REWARD_FILE, lambda temporary: temporary.write_bytes(data))
        write_json(run / REWARD_CARD_FILE, dict(card))


def load_reward(run: Path, device: torch.device | None = None) -> Reward:
    """The reward of a run's folder. Raises GanvasError if it has none, or a damaged one."""
    path, reward = run / REWARD_FILE, Reward()
    if not path.exists():
        raise GanvasError(
            f"{run} does not know yet what you like: write a page with ganvas prefer {run} --page page.html, choose, then "
            f"ganvas prefer {run} --pairs preferences.csv"
        )
    try:
        reward.load_state_dict(load_file(path))
    except (SafetensorError, OSError, RuntimeError) as error:
        raise GanvasError(f"{path} cannot be read ({error}): learn it again with ganvas prefer {run} --pairs FILE") from None
    return reward.to(device) if device is not None else reward


def read_reward_card(run: Path) -> dict[str, Any]:
    """What the run's reward was learnt from. Raises GanvasError if there is none."""
    return read_json(run / REWARD_CARD_FILE)
