"""The layers of the design: an import reaches down, never up or sideways; and --help needs no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ganvas"
BASE = {"core", "config", "errors", "files", "resampling", "schedule", "draws"}
LEAVES = {"extras", "media", "data", "nets", "objectives", "penalties", "augment", "metrics"}


def imports(file: Path) -> set[str]:
    """The ganvas modules that a file imports, by their first name."""
    found: set[str] = set()
    up = len(file.relative_to(PACKAGE).parts)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            if node.level == up:
                found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            assert not any(name.split(".")[0] == "ganvas" for name in names), f"{file}: import within ganvas is relative"
    return found


def files(*names: str) -> list[Path]:
    return [
        f
        for name in names
        for f in ([PACKAGE / f"{name}.py"] if (PACKAGE / f"{name}.py").exists() else (PACKAGE / name).glob("*.py"))
    ]


@pytest.mark.parametrize("leaf", sorted(LEAVES))
def test_leaves_import_the_base_alone(leaf: str) -> None:
    for file in files(leaf):
        assert imports(file) <= BASE, f"{file.name} reaches out of its layer"


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("methods", BASE | LEAVES),
        ("recipe", BASE | {"optim"}),
        ("optim", BASE),
        ("ema", BASE),
        ("log", BASE),
        ("loop", BASE | {"recipe", "ema", "log", "device", "dist"}),
        ("choosing", BASE | LEAVES | {"methods", "recipe", "optim"}),
        ("recipes", BASE | LEAVES | {"methods", "recipe", "optim", "choosing"}),
        ("report", BASE | {"evaluation"}),
    ],
)
def test_upper_layers(name: str, allowed: set[str]) -> None:
    for file in files(name):
        assert imports(file) <= allowed, f"{file.name} imports {imports(file) - allowed}"


def mentioning(*texts: str) -> set[str]:
    return {f.name for f in PACKAGE.rglob("*.py") if any(text in f.read_text(encoding="utf-8") for text in texts)}


def test_only_the_command_line_imports_its_library() -> None:
    assert mentioning("import tyro", "from tyro") == {"cli.py"}


def test_only_the_loop_steps() -> None:
    """But for the search of a picture's code, which trains nothing (docs/decisions/0006)."""
    assert mentioning(".backward()") == {"loop.py"}
    assert mentioning("optimiser.step()") == {"loop.py", "projection.py"}


def test_nothing_is_ever_unpickled() -> None:
    """But published weights, whose checksum is known, and these without what a pickle can do."""
    assert mentioning("pickle.load", "allow_pickle=True", "import pickle") == set()
    assert mentioning("torch.load(") == {"weights.py"}
    assert "weights_only=True" in (PACKAGE / "metrics" / "weights.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [["--help"], ["--version"], []])
def test_help_needs_neither_torch_nor_the_parser(words: list[str]) -> None:
    code = f"import sys; from ganvas.cli import main; main({words!r}); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = out.splitlines()[-1].split()
    assert not {"torch", "numpy", "tyro", "PIL"} & set(loaded)
