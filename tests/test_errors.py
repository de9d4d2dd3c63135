"""A component names its own fields, never a flag: it does not know where it sits."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganvas.augment import ADA
from ganvas.data import Files
from ganvas.errors import GanvasError, SettingError, require
from ganvas.extractors import EfficientNetLite0
from ganvas.losses import R2, LeCam, PathLength, TopK
from ganvas.media import Image
from ganvas.methods import Progressive
from ganvas.nets.compact import Compact
from ganvas.optim.optimisers import Adam
from ganvas.recipe import Train

PACKAGE = Path(__file__).parents[1] / "ganvas"
COMPONENTS = ["augment", "data", "extractors", "losses", "media", "methods", "metrics", "nets", "optim", "recipe.py", "recipes"]


def test_a_valid_setting_passes_and_a_wrong_one_is_named() -> None:
    require(True, "weight", 2, "0 or more")
    with pytest.raises(SettingError, match=r"^weight must be 0 or more, got -1$") as caught:
        require(False, "weight", -1, "0 or more")
    assert isinstance(caught.value, GanvasError)
    assert (caught.value.field, caught.value.value) == ("weight", -1)


@pytest.mark.parametrize(
    ("build", "field", "value"),
    [
        (R2, "gamma", float("nan")),
        (LeCam, "mean_decay", 1.0),
        (PathLength, "subsample", 0),
        (TopK, "min_share", 0.0),
        (ADA, "cutout", 2.0),
        (Adam, "eps", 0.0),
        (Compact, "g_width", 0),
        (Progressive, "batches", (1,)),
        (EfficientNetLite0, "batch", 0),
        (Image, "size", 3),
        (Train, "lr_scale", 0.0),
    ],
)
def test_components_name_their_field(build: Callable[..., Any], field: str, value: object) -> None:
    with pytest.raises(SettingError, match=rf"^{field} must be [^-]*, got {re.escape(str(value))}$") as caught:
        build(**{field: value})
    assert caught.value.field == field


def test_a_source_names_its_field_when_it_reads(tmp_path: Path) -> None:
    for k in range(3):
        (tmp_path / f"{k}.png").write_bytes(b"")
    with pytest.raises(SettingError, match=r"^limit must be 2 or more, got 1$"):
        Files(path=str(tmp_path), limit=1).items((".png",))


@pytest.mark.parametrize("place", COMPONENTS)
def test_components_name_no_flags(place: str) -> None:
    files = [PACKAGE / place] if place.endswith(".py") else sorted((PACKAGE / place).rglob("*.py"))
    assert files
    named = {file.name: flags for file in files if (flags := re.findall(r"--[a-z][a-z.-]*", file.read_text(encoding="utf-8")))}
    assert named == {}
