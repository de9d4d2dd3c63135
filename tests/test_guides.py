"""What the guides say: commands with options that exist, examples that work, sentences that a newcomer can read."""

import contextlib
import io
import re
import statistics
from functools import cache
from pathlib import Path

import pytest

from ganvas import cli, recipes

ROOT = Path(__file__).parents[1]
FOLDERS = (ROOT / "docs", ROOT / "docs" / "guide")
GUIDES = [path for folder in FOLDERS for path in sorted(folder.glob("*.md")) if path.name not in ("log.md", "results.md")]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *GUIDES]
DATA = str(ROOT / "tests" / "data" / "fashion_test_200.npz")


def find_blocks(page: Path, language: str) -> list[str]:
    """The code of a page that is marked with this language."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    return [code for name, code in blocks if name == language]


def find_commands(page: Path) -> list[tuple[str, str]]:
    """(command, the rest of the line) of each line in a block of the page that runs ganvas."""
    lines = [line.partition("  #")[0] for block in find_blocks(page, "") for line in block.splitlines()]
    return [found.groups() for line in lines if (found := re.match(r"(?:\$ )?(?:torchrun .* )?ganvas ([a-z]+)(.*)", line))]


@cache
def print_help(command: str, recipe: str) -> str:
    """What `ganvas COMMAND --help` prints."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        cli.main([command, *([recipe] if recipe else []), "--help"])
    return out.getvalue()


def list_sentences(page: Path) -> list[str]:
    """The prose of a page: no code, tables, headings or pictures."""
    text = re.sub(r"```.*?```", "\n\n", page.read_text(encoding="utf-8"), flags=re.S)
    prose = "\n".join(line for line in text.splitlines() if not re.match(r"\s*(\||#|!\[|<)", line))
    parts = re.split(r"(?<=[.!?:;])[*_)]*\s+(?=[^a-z\s])|\n\s*\n|\n\s*[-*]\s", re.sub(r"\]\([^)]*\)", " ", prose))
    return [part for part in (re.sub(r"[`*_\[\]()]", " ", part) for part in parts) if len(part.split()) > 2]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_in_commands_exist(page: Path) -> None:
    for command, rest in find_commands(page):
        first = rest.split()[0] if rest.split() else ""
        recipe = first if command == "train" and first in recipes.list_recipes() else ""
        for option in re.findall(r" (--[a-z][\w.-]*)", rest):
            exists = option == "--components" or re.search(rf"{re.escape(option)}\b", print_help(command, recipe))
            assert exists, f"{page.name}: ganvas {command}{rest}"


def test_the_pages_hold_commands() -> None:
    assert sum(len(find_commands(page)) for page in PAGES) >= 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert "://" in target or (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_sentences_are_short(page: Path) -> None:
    lengths = {sentence: len(sentence.split()) for sentence in list_sentences(page)}
    assert statistics.mean(lengths.values()) <= 15
    assert max(lengths.values()) <= 30, max(lengths, key=lambda sentence: lengths[sentence])


def test_the_guide_names_every_recipe() -> None:
    named = set(re.findall(r"\w+", (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")))
    assert set(recipes.list_recipes()) <= named


@pytest.fixture
def own_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the module that docs/adding.md adds up to."""
    code = "\n\n".join(find_blocks(ROOT / "docs" / "adding.md", "python"))
    (tmp_path / "my_parts.py").write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("recipe", "data"), [("my_recipe", ["--data", DATA]), ("my_waves", [])])
def test_the_parts_of_the_page_on_adding_train_and_sample(
    own_parts: Path, recipe: str, data: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--samples", "128", "--evaluation.samples", "40", "--train.batch", "16"]
    assert cli.main(["train", f"my_parts:{recipe}", *data, *small, "--out", "run"]) == 0
    assert "mean_distance" in capsys.readouterr().out
    assert cli.main(["generate", "run", "--components", "my_parts", "--n", "3", "--out", "out"]) == 0
    assert any((own_parts / "out").iterdir())
