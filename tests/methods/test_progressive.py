"""Growth: the schedule, what D is shown while it fades, samples of every size, and exact memory."""

from dataclasses import replace
from math import ceil
from pathlib import Path

import pytest
import torch

from ganvas import recipes
from ganvas.core import Clock, seeded_generator
from ganvas.errors import GanvasError
from ganvas.methods import Adversarial, Progressive
from ganvas.methods.progressive import Growth, round_to_float32, shrink_to_depth
from ganvas.recipe import Recipe
from ganvas.runs import checkpoint
from ganvas.runs.state import State, build_state
from ganvas.training import loop
from ganvas.training.loop import Loop
from small_recipes import noise, small
from trained_runs import trained

CPU = torch.device("cpu")


def tiny(**changes: object) -> Recipe:
    recipe = recipes.find_recipe("progan_small")
    return small(replace(recipe, method=replace(recipe.method, **changes)), samples=160)


@pytest.fixture
def nets() -> torch.nn.ModuleDict:
    recipe = tiny()
    return build_state(recipe, noise(recipe).spec, 0, CPU).nets  # up to 16 px: two doublings


def test_the_papers_schedule(nets: torch.nn.ModuleDict) -> None:
    """Appendix A.1: 4 px for 600,000 images; 600,000 to fade a size in, 600,000 to train it."""
    method = Progressive(kimg=600.0)
    images = [0, 599_999, 600_000, 900_000, 1_200_000, 1_799_999, 1_800_000, 2_100_000, 2_400_000, 9_000_000]
    found = [method.schedule_depth(nets, Clock(0, n, 12_000_000)) for n in images]
    assert found == pytest.approx([0, 0, 0, 0.5, 1, 1, 1, 1.5, 2, 2])


def test_a_compressed_schedule_ends_at_its_share(nets: torch.nn.ModuleDict) -> None:
    method = Progressive(share=0.5)
    assert method.schedule_depth(nets, Clock(0, 499, 1000)) < 2
    assert method.schedule_depth(nets, Clock(0, 500, 1000)) == 2
    assert method.schedule_depth(nets, Clock(0, 124, 1000)) == 0


def test_stages_have_their_batches(nets: torch.nn.ModuleDict) -> None:
    method = Progressive(share=0.5, batches=(16, 8))
    stages = [method.stage(nets, Clock(0, n, 1000)) for n in (0, 200, 450)]
    assert [(s.name, s.batch, s.optimisers_to_reset) for s in stages] == [
        ("4 px", 16, ("G", "D")),
        ("8 px", 8, ("G", "D")),
        ("16 px", 8, ("G", "D")),
    ]


def test_reals_fade_in() -> None:
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(shrink_to_depth(x, 2.0, 2), x)
    torch.testing.assert_close(shrink_to_depth(x, 0.0, 2), torch.nn.functional.avg_pool2d(x, 4))
    half = torch.nn.functional.avg_pool2d(x, 2)
    faded = shrink_to_depth(x, 0.25, 2)
    assert faded.shape == (2, 3, 8, 8)
    coarse = torch.nn.functional.avg_pool2d(half, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(faded, 0.75 * coarse + 0.25 * half)


def test_samples_are_whole_at_every_size() -> None:
    recipe = tiny(share=1.0)
    data = noise(recipe)
    state = build_state(recipe, data.spec, 0, CPU)
    sizes: set[int] = set()

    def watch(state: State, _: object) -> bool:
        method = recipe.method
        x = method.render(state.nets, method.draw_latents(state.nets, 2, seeded_generator("x")))
        assert x.shape == (2, 1, 16, 16)
        depth = state.nets["growth"].depth
        sizes.add(ceil(depth))
        blocks = x.unfold(2, 4 >> ceil(depth), 4 >> ceil(depth)).unfold(3, 4 >> ceil(depth), 4 >> ceil(depth))
        assert (blocks.amax((4, 5)) == blocks.amin((4, 5))).all()  # a small image, enlarged
        return False

    Loop(recipe, data, state, 0).train_to_budget(watch)
    assert sizes == {0, 1, 2}


def test_what_is_grown_stays_grown(tmp_path: object) -> None:
    """A finished run that is given more time does not shrink, although its share of the run is less."""
    recipe = tiny(share=1.0)
    state = build_state(recipe, noise(recipe).spec, 0, CPU)
    Loop(recipe, noise(recipe), state, 0).train_to_budget(lambda *_: False)
    reached = state.nets["growth"].depth
    assert reached > 1
    checkpoint.save_checkpoint(tmp_path / "000000160", state)  # type: ignore[operator]
    again = build_state(recipe, noise(recipe).spec, 1, CPU)
    checkpoint.load_checkpoint(tmp_path / "000000160", again, total_samples=1600)  # type: ignore[operator]
    assert again.nets["growth"].depth == reached
    method = recipe.method
    assert method.stage(again.nets, again.clock).name == "16 px"
    Loop(recipe, noise(recipe), again, 0).train_to_budget(lambda state, _: state.clock.samples >= 176)
    assert again.nets["growth"].depth == reached


def test_growth_is_remembered_exactly() -> None:
    growth, other = Growth(), Growth()
    growth.grow_to(round_to_float32(1 / 3))
    other.load_state_dict(growth.state_dict())
    assert other.depth == growth.depth == round_to_float32(1 / 3)
    assert growth.grow_to(0.1) == growth.depth


def test_stages_of_a_run_are_found_with_their_shares() -> None:
    recipe = tiny(share=0.5)
    nets = build_state(recipe, noise(recipe).spec, 0, CPU).nets
    found = {recipe.method.stage(nets, clock).name: share for clock, share in loop.locate_stages(recipe, nets)}
    assert found == {
        "4 px": pytest.approx(0.13, abs=0.02),
        "8 px": pytest.approx(0.25, abs=0.02),
        "16 px": pytest.approx(0.62, abs=0.02),
    }


def test_networks_that_cannot_grow_are_refused() -> None:
    recipe = recipes.find_recipe("dcgan_small")
    wrong = small(replace(recipe, method=Progressive()))
    with pytest.raises(GanvasError, match="needs networks that can grow"):
        build_state(wrong, noise(wrong).spec, 0, CPU)


@pytest.mark.parametrize("wrong", [{"kimg": -1.0}, {"share": 0.0}, {"batches": (1,)}])
def test_bad_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(GanvasError):
        Progressive(**wrong)  # type: ignore[arg-type]


def test_a_game_that_shares_its_fakes_can_grow() -> None:
    """What G's turn hands on is of the data's size, for D's turn shrinks it itself."""
    recipe = tiny(game=Adversarial(share_fakes=True), share=1.0)
    state = build_state(recipe, noise(recipe).spec, 0, CPU)
    Loop(recipe, noise(recipe), state, 0).train_to_budget(lambda *_: False)
    assert state.nets["growth"].depth > 1


def test_the_best_of_a_growing_run_is_grown(tmp_path: Path) -> None:
    """However well small networks score: their samples are not what the run is to make."""
    run = trained("progan_small", tmp_path, "--samples", "640", "--train.snapshots", "8")
    cards = [card for card in run.score_cards if card["kind"] == "snapshot"]
    assert not cards[0]["grown"]
    assert cards[-1]["grown"]
    best = int(run.find_checkpoint("best").name)
    assert best in {card["samples"] for card in cards if card["grown"]}
    wanted = min((card for card in cards if card["grown"]), key=lambda card: card["scores"]["frechet"])
    assert best == wanted["samples"]
