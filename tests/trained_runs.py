"""Runs that tests use: trained for seconds on a few pictures of clothes."""

from pathlib import Path

from ganvas import cli
from ganvas.runs.folder import RunFolder

DATA = str(Path(__file__).parent / "data" / "fashion_test_200.npz")
SHORT = [
    *("--medium.size", "8", "--train.batch", "16", "--samples", "64", "--train.snapshots", "1"),
    *("--evaluation.samples", "60", "--evaluation.snapshot-samples", "20"),
]
STYLES = ["--nets.width", "4", "--nets.base", "64", "--nets.w-dim", "4", "--nets.z-dim", "4", "--nets.mapping", "1"]
NARROW = {
    "stylegan_small": STYLES,
    "stylegan2_small": STYLES,
    "dcgan_small": ["--nets.width", "4", "--nets.z-dim", "6"],
    "progan_small": ["--nets.width", "4", "--nets.base", "64", "--nets.z-dim", "6"],
    "biggan_small": ["--nets.width", "2", "--nets.d-width", "2", "--nets.shared-dim", "4", "--nets.z-dim", "6"],
    "vae": ["--nets.nets.g-width", "4", "--nets.width", "4", "--nets.nets.z-dim", "6"],
}


def trained(recipe: str, folder: Path, *more: str, data: str = DATA) -> RunFolder:
    """A run of a recipe with narrow networks, in `folder`."""
    path = folder / recipe
    words = ["train", recipe, "--data", data, "--out", str(path), *SHORT, *NARROW.get(recipe, []), *more]
    assert cli.main(words) == 0
    return RunFolder(path)
