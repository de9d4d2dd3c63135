"""One thread a worker, and a cache of the tests' own: nothing outside the repository is read."""

import os
from pathlib import Path

import pytest
import torch

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
