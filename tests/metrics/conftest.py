"""Numbers of the reference implementations (tests/goldens/metrics.json says which), and real images."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def golden() -> dict[str, np.ndarray]:
    return load_file(TESTS / "goldens" / "metrics.safetensors")


@pytest.fixture(scope="session")
def fashion() -> tuple[np.ndarray, np.ndarray]:
    """The first 20 test images of each class of Fashion-MNIST (MIT): uint8 [200, 28, 28, 1], labels int64 [200]."""
    with np.load(TESTS / "data" / "fashion_test_200.npz", allow_pickle=False) as file:
        return file["images"], file["labels"]
