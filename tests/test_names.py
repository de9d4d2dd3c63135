"""One word, one meaning: no two public names at the top of modules are alike, and no name is a bare participle."""

import ast
import re
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "ganvas"
TWINS = {  # deliberate: the same noun in every file of a family
    "main", "Arguments", "Generator", "Discriminator", "UpBlock", "DownBlock", "read", "takes_path",
}  # fmt: skip
VERBS_THAT_LOOK_SO = {"read", "set", "cut", "put", "split", "embed", "feed", "seed", "shed", "spread"}
IRREGULAR = {
    "begun", "broken", "brought", "built", "chosen", "done", "drawn", "found", "given", "gone", "grown", "held", "hidden",
    "kept", "known", "left", "lent", "made", "meant", "said", "seen", "sent", "shown", "spent", "taken", "told", "won",
    "written",
}  # fmt: skip


def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}


def test_no_two_public_names_are_alike() -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for path, tree in trees().items():
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                owners[node.name].add(str(path.relative_to(PACKAGE)))
    alike = {name: files for name, files in owners.items() if len(files) > 1 and name not in TWINS}
    assert not alike


def test_no_function_is_named_by_a_bare_participle() -> None:
    names = {node.name for tree in trees().values() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    words = {name.strip("_") for name in names if "_" not in name.strip("_")} - VERBS_THAT_LOOK_SO
    assert not {word for word in words if word in IRREGULAR or re.fullmatch(r"\w{3,}ed", word)}
