"""From a page to a run that makes what is preferred, on narrow networks."""

import json
import re
import shlex
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import ganvas
from ganvas import cli
from ganvas.errors import GanvasError
from ganvas.nets.reward import Reward
from ganvas.preference.comparison import describe_comparison
from ganvas.preference.prefer import check_request
from ganvas.runs.folder import RunFolder
from ganvas.runs.rewards import load_reward, read_reward_card
from ganvas.sampling.best_of import keep_best
from ganvas.sampling.generator import open_sampler
from ganvas.sampling.stream import SampleBlock
from trained_runs import trained


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return trained("dcgan_small", tmp_path_factory.mktemp("prefer"))


def rate_brightness(stored: torch.Tensor) -> torch.Tensor:
    return stored.float().mean((1, 2, 3))


@pytest.fixture(scope="module")
def pairs(run: RunFolder) -> list[tuple[int, int]]:
    """Of seeds 2k and 2k + 1, the brighter one first."""
    stored = torch.cat(list(open_sampler(run).stream_seeds(range(160))))
    bright = rate_brightness(stored)
    return [(a, a + 1) if bright[a] > bright[a + 1] else (a + 1, a) for a in range(0, 160, 2)]


def read_data(page: Path) -> dict[str, object]:
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert match
    return json.loads(match[1])


def test_the_page_holds_what_it_needs(run: RunFolder, tmp_path: Path) -> None:
    page = ganvas.preference_page(run, tmp_path / "new" / "page.html", n=4, first_seed=10)
    text, data = page.read_text(encoding="utf-8"), read_data(page)
    assert data["first"] == 10
    assert len(data["pictures"]) == 8  # type: ignore[arg-type]
    assert all(uri.startswith("data:image/png;base64,") for uri in data["pictures"])  # type: ignore[attr-defined]
    assert run.find_checkpoint("best").name in text
    assert "seeds 10 to 17" in text
    assert "{{" not in text
    assert not re.search(r'(src|href)="(?!data:)', text)  # nothing is fetched
    assert "default-src 'none'" in text


def test_a_page_can_be_written_again_alike(run: RunFolder, tmp_path: Path) -> None:
    pages = [ganvas.preference_page(run, tmp_path / name, n=2) for name in ("a.html", "b.html")]
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_the_command_on_the_page_quotes_the_run(run: RunFolder, tmp_path: Path) -> None:
    spaced = shutil.copytree(run.path, tmp_path / "my run")
    data = read_data(ganvas.preference_page(spaced, tmp_path / "page.html", n=1))
    assert shlex.split(str(data["run"])) == [str(spaced)]


@pytest.mark.parametrize(("n", "name"), [(0, "a.html"), (1001, "a.html"), (5, "a.txt")])
def test_what_is_no_page(run: RunFolder, tmp_path: Path, n: int, name: str) -> None:
    with pytest.raises(GanvasError):
        ganvas.preference_page(run, tmp_path / name, n=n)


def test_it_learns_prefers_and_compares(run: RunFolder, pairs: list[tuple[int, int]], tmp_path: Path) -> None:
    out = tmp_path / "preferred"
    result = ganvas.prefer(run, pairs=pairs, samples=480, out=out, weight=5.0, stay=0.1, known=rate_brightness, quiet=True)
    assert result["accuracy"] > 0.7
    assert read_reward_card(run.path)["choices"] == result["choices"]
    assert result["known_wins"]["share"] > 0.7
    assert result["reward_wins"]["share"] > 0.7
    assert {"frechet", "coverage"} <= set(result["before"]) & set(result["after"])
    preferred = ganvas.load(out)
    assert preferred.find_checkpoint("best") == preferred.find_checkpoint("last")
    assert json.loads((out / "preferred.json").read_text())["wins"] == result["wins"]
    assert (out / "exhibits" / "before_after.png").exists()
    captions = json.loads((out / "exhibits" / "captions.json").read_text())
    assert {"before_after.png", "nearest.png"} <= set(captions)
    assert any("better than the start's" in line for line in result["sentences"])
    # the reward comes along, so its own best of several are brighter still
    best, usual = (preferred.generate(32, best_of=count).mean() for count in (8, 1))
    assert best > usual
    # other choices would make another run
    with pytest.raises(GanvasError, match="made by another command"):
        ganvas.prefer(run, pairs=[(b, a) for a, b in pairs], samples=480, out=out, weight=5.0, stay=0.1, quiet=True)


def test_the_best_of_several(run: RunFolder, pairs: list[tuple[int, int]]) -> None:
    ganvas.prefer(run, pairs=pairs, quiet=True)
    sampler = open_sampler(run)
    plain = torch.cat(list(sampler.stream_samples(32, 3)))
    best = torch.from_numpy(ganvas.generate(run, 8, 3, best_of=4))
    groups = plain.unflatten(0, (8, 4))
    assert all(any(torch.equal(best[k], one) for one in groups[k]) for k in range(8))
    assert rate_brightness(best).mean() > rate_brightness(plain).mean()
    assert np.array_equal(ganvas.generate(run, 3, 3, best_of=4), best[:3].numpy())  # whatever n is
    of_seeds = ganvas.generate(run, 0, seeds=[5, 9], best_of=64)
    assert of_seeds.shape == (2, 8, 8, 1)
    with pytest.raises(GanvasError, match="from 1 to 64, got 65"):
        ganvas.generate(run, 1, best_of=65)


def test_blocks_may_end_anywhere(run: RunFolder) -> None:
    stored = torch.cat(list(open_sampler(run).stream_samples(30, 0)))
    codec, reward = run.read_codec(), load_any()
    whole = torch.cat([block.stored for block in keep_best([SampleBlock(stored, {})], 3, reward, codec)])
    parts = (SampleBlock(part, {}) for part in stored.split(7))
    assert torch.equal(torch.cat([block.stored for block in keep_best(parts, 3, reward, codec)]), whole)
    assert len(whole) == 10


def load_any() -> Reward:
    generator, reward = torch.Generator().manual_seed(0), Reward()
    for buffer in reward.buffers():
        buffer.copy_(torch.randn(buffer.shape, generator=generator))
    return reward


def test_the_command_line(
    run: RunFolder, pairs: list[tuple[int, int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["prefer", str(run.path)]
    assert cli.main([*words, "--page", str(tmp_path / "page.html"), "--n", "2"]) == 0
    assert "open it in a browser" in capsys.readouterr().out
    weights = read_data(tmp_path / "page.html")["weights"]
    lines = [f"# weights {weights}", "better_seed,worse_seed", *(f"{a},{b}" for a, b in pairs)]
    (tmp_path / "pairs.csv").write_text("\n".join(lines))
    assert cli.main([*words, "--pairs", str(tmp_path / "pairs.csv")]) == 0
    assert "of the held-out pairs as you did" in capsys.readouterr().err
    (tmp_path / "likes.csv").write_text("\n".join(["seed", *(str(a) for a, _ in pairs)]))
    assert cli.main([*words, "--likes", str(tmp_path / "likes.csv"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["training_pairs"] == 4 * 64
    assert cli.main(["generate", str(run.path), "--best-of", "4", "--n", "4", "--grid", "--out", str(tmp_path / "a.png")]) == 0
    assert (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give the choices"),
        (["--pairs", "a.csv", "--likes", "b.csv"], "give the choices"),
        (["--pairs", "a.csv", "--page", "b.html"], "without --pairs"),
        (["--pairs", "a.csv", "--out", "b"], "needs a budget"),
        (["--pairs", "a.csv"], "cannot be read"),
    ],
)
def test_refusals(run: RunFolder, words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["prefer", str(run.path), *words]) == 1
    assert message in capsys.readouterr().err


def test_a_private_run_may_be_chosen_from_and_not_trained() -> None:
    private = SimpleNamespace(
        path=Path("runs/private"), recipe=SimpleNamespace(method=SimpleNamespace(epsilon=1.0, delta=1e-5))
    )
    check_request(private, False, True, False, False)  # type: ignore[arg-type]
    with pytest.raises(GanvasError, match=r"is private, and the game would see its training samples again"):
        check_request(private, True, True, False, False)  # type: ignore[arg-type]


def test_choices_between_samples_of_other_weights_are_refused(
    run: RunFolder, pairs: list[tuple[int, int]], tmp_path: Path
) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join(["# weights 0123456789abcdef", "better_seed,worse_seed", *(f"{a},{b}" for a, b in pairs)]))
    with pytest.raises(GanvasError, match="samples of other weights"):
        ganvas.prefer(run, pairs=path)


def test_a_run_without_a_reward_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(GanvasError, match=r"does not know yet what you like: write a page with ganvas prefer"):
        load_reward(tmp_path)
    (tmp_path / "reward.safetensors").write_bytes(b"no tensors")
    with pytest.raises(GanvasError, match="learn it again"):
        load_reward(tmp_path)


def test_a_fooled_reward_and_a_weak_judge_are_named() -> None:
    chance, sure = {"share": 0.5, "interval": [0.45, 0.55]}, {"share": 0.9, "interval": [0.85, 0.95]}
    outcome = {"wins": chance, "reward_wins": sure, "judge_accuracy": 0.8, "judge_pairs": 40, "compared": 500}
    assert any("the generator has fooled it" in line for line in describe_comparison(outcome))
    assert any("so few held-out choices" in line for line in describe_comparison({**outcome, "judge_accuracy": 0.55}))
    partly = {**outcome, "wins": {"share": 0.6, "interval": [0.55, 0.65]}}
    assert any("does not please the second one" in line for line in describe_comparison(partly))
    prices = {"before": {"frechet": 2.0, "coverage": 0.8}, "after": {"frechet": 3.0, "coverage": 0.9}}
    directions = {"lower_is_better": {"frechet": True, "coverage": False}}
    lines = describe_comparison({**outcome, "wins": sure, **prices, **directions})
    assert not any("the reward itself" in line for line in lines)
    assert any("50% worse" in line for line in lines)
    assert any("12% better" in line for line in lines)


def test_runs_without_pictures_of_seeds_are_refused(tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("age,income\n" + "\n".join(f"{20 + k % 40},{1000 + 13 * k % 700}" for k in range(120)))
    run = ganvas.train("table", data=str(table), samples=64, out=tmp_path / "rows", quiet=True)
    with pytest.raises(GanvasError, match="choices are between pictures"):
        ganvas.preference_page(run, tmp_path / "page.html")
    with pytest.raises(GanvasError, match="choices are between pictures"):
        ganvas.prefer(run, pairs=[(2 * k, 2 * k + 1) for k in range(40)])
    assert cli.main(["generate", str(run.path), "--best-of", "4"]) == 1
