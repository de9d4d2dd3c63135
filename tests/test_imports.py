"""The layers of the design: an import reaches down, never up or sideways; and --help needs no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ganvas"
LAYERS = """
__main__
cli
commands
__init__
api
interop
preference
training
latent translation report
evaluation
sampling recipes
runs methods
recipe augment losses
extractors
privacy
nets media data metrics optim pictures provenance
text
configuration system
core resampling ranks normal_scores gaussian_blocks quantile_maps
errors version
"""
LEVEL = {name: level for level, line in enumerate(reversed(LAYERS.split("\n"))) for name in line.split()}


def imports(file: Path) -> set[str]:
    """The names at the top of ganvas that a file imports from, its own folder aside."""
    found: set[str] = set()
    parts = file.relative_to(PACKAGE).parts
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            if node.level == len(parts):
                found |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            assert not any(name.split(".")[0] == "ganvas" for name in names), f"{file}: import within ganvas is relative"
    return found - {parts[0]}


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_reach_downwards(file: Path) -> None:
    own = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    up = {name for name in imports(file) if LEVEL[name] >= LEVEL[own]}
    assert not up, f"{file.name} imports {up}, which stands no lower than {own}"


def mentioning(*texts: str) -> set[str]:
    return {f.name for f in PACKAGE.rglob("*.py") if any(text in f.read_text(encoding="utf-8") for text in texts)}


def test_only_the_command_line_imports_its_library() -> None:
    assert mentioning("import tyro", "from tyro") == {"parsing.py"}


def test_only_the_loop_steps() -> None:
    """But for the search of a picture's code, which trains nothing, and for judges (decisions 0006, 0011, 0013, 0018)."""
    assert mentioning(".backward()") == {"loop.py", "label_classifier.py", "recurrent.py", "row_pairing.py"}
    assert mentioning("optimiser.step()", "optimizer.step()") == {
        "loop.py", "projection.py", "label_classifier.py", "recurrent.py", "row_pairing.py"
    }  # fmt: skip


def test_nothing_is_ever_unpickled() -> None:
    """But published weights, whose checksum is known, and these without what a pickle can do."""
    assert mentioning("pickle.load", "allow_pickle=True", "import pickle") == set()
    assert mentioning("torch.load(") == {"weights.py"}
    assert "weights_only=True" in (PACKAGE / "nets" / "pretrained" / "weights.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [["--help"], ["--version"], []])
def test_help_needs_neither_torch_nor_the_parser(words: list[str]) -> None:
    code = f"import sys; from ganvas.cli import main; main({words!r}); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = out.splitlines()[-1].split()
    assert not {"torch", "numpy", "tyro", "PIL"} & set(loaded)
