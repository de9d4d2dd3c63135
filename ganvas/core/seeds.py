"""Random numbers that depend only on their purpose."""

import hashlib
from typing import Any

import torch


def seed_from(*parts: Any) -> int:
    """A seed in [0, 2**63) from the `repr` of the parts. The same parts give the same seed on every machine."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def seeded_generator(*parts: Any, device: torch.device | str = "cpu") -> torch.Generator:
    """A new random generator, seeded with `seed_from(*parts)`."""
    return torch.Generator(device).manual_seed(seed_from(*parts))
