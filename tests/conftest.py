"""One thread a worker, and a cache of the tests' own: nothing outside the repository is read."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.delenv("GANVAS_FASHION", raising=False)


@pytest.fixture
def goldens() -> Path:
    return Path(__file__).parent / "goldens"


@pytest.fixture
def child_environment() -> dict[str, str]:
    """For processes that a test starts."""
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}


@pytest.fixture(scope="session")
def golden() -> dict[str, np.ndarray]:
    return load_file(Path(__file__).parent / "goldens" / "metrics.safetensors")


@pytest.fixture(scope="session")
def fashion() -> tuple[np.ndarray, np.ndarray]:
    """The first 20 test images of each class of Fashion-MNIST (MIT): uint8 [200, 28, 28, 1], labels int64 [200]."""
    with np.load(Path(__file__).parent / "data" / "fashion_test_200.npz", allow_pickle=False) as file:
        return file["images"], file["labels"]
