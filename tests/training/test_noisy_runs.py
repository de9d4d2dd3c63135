"""Private runs by noisy gradients: what a step learns of a sample, and what the ledger says after any end."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ganvas.data import Uniform
from ganvas.errors import GanvasError
from ganvas.losses.objectives import Hinge, LabelSmoothing, RelativisticAverage, RelativisticPairing, Wasserstein
from ganvas.methods import PrivateAdversarial
from ganvas.methods.private_adversarial import is_separable
from ganvas.nets import DCGAN, MLP, MinibatchDiscrimination
from ganvas.privacy import Ledger, NoisyRelease, clip_row_gradients, compute_epsilon, parse_ledger
from ganvas.recipe import Recipe
from ganvas.recipes import find_recipe
from ganvas.runs.folder import RunFolder
from ganvas.runs.state import build_state
from ganvas.training.account import PrivacyAccount
from ganvas.training.loop import Loop
from ganvas.training.private import choose_private_recipe
from ganvas.training.release import LEDGER_NAME
from ganvas.training.session import resume, train
from small_recipes import noise, small

CPU, COUNT, BATCH, STEPS = torch.device("cpu"), 300, 30, 120


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    np.save(tmp_path / "pictures.npy", np.random.default_rng(0).integers(0, 256, (COUNT, 8, 8, 1), dtype=np.uint8))
    recipe = choose_private_recipe(None, str(tmp_path / "pictures.npy"), 2.0, None)
    recipe = small(recipe, batch=BATCH, samples=BATCH * STEPS)
    method = replace(recipe.method, fakes=16, critic_steps=5, delta=1e-5)  # type: ignore[type-var]
    return replace(recipe, medium=replace(recipe.medium, size=8), method=method)  # type: ignore[type-var]


def train_quietly(recipe: Recipe, out: Path, **settings: Any) -> RunFolder:
    return train(recipe, out=out, data=out.parent / "pictures.npy", quiet=True, device="cpu", threads=1, **settings)


def read_ledger(out: Path) -> Ledger:
    return parse_ledger((out / LEDGER_NAME).read_text())


def stop_after(steps: int, error: BaseException, is_killed: bool) -> Callable[[], None]:
    """Training raises `error` in the step after so many; killed, it tidies nothing up. Returns what undoes that."""
    book_step, taken = PrivacyAccount.book_step, list[int]()

    def book_or_stop(account: PrivacyAccount) -> np.random.Generator:
        taken.append(1)
        random = book_step(account)
        if len(taken) > steps:
            raise error
        return random

    patch = pytest.MonkeyPatch()
    patch.setattr(PrivacyAccount, "book_step", book_or_stop)
    if is_killed:
        patch.setattr(PrivacyAccount, "close", lambda account: None)
    return patch.undo


def test_the_ledger_is_the_accountants_and_within_the_promise(recipe: Recipe, tmp_path: Path) -> None:
    run = train_quietly(recipe, tmp_path / "run")
    (release,) = read_ledger(run.path).releases
    assert release == NoisyRelease(BATCH / COUNT, run.recipe.method.sigma, STEPS, "gradients of D")  # type: ignore[attr-defined]
    assert read_ledger(run.path).epsilon == compute_epsilon(BATCH / COUNT, release.sigma, STEPS, 1e-5)
    assert 1.98 < read_ledger(run.path).epsilon <= 2.0
    assert run.recipe.train.samples == BATCH * STEPS
    # nothing of real samples is logged, scored or shown
    log = run.read_lines("log.jsonl")
    assert {name for line in log for group in ("terms", "seen") for name in line[group]} == {
        "D/adversarial", "D/fake", "G/adversarial",
    }  # fmt: skip
    assert not any(card["scores"] for card in run.score_cards)
    assert not (run.path / "exhibits" / "nearest.png").exists()
    assert run.find_checkpoint("best") == run.find_checkpoint("last")


def test_the_same_seed_has_other_noise(recipe: Recipe, tmp_path: Path) -> None:
    recipe = replace(recipe, train=replace(recipe.train, samples=BATCH * 3))
    first, second = (train_quietly(recipe, tmp_path / name) for name in ("first", "second"))
    weights = [path.read_bytes() for run in (first, second) for path in sorted(run.checkpoints[-1].glob("*.safetensors"))]
    half = len(weights) // 2
    assert weights[:half] != weights[half:]


def test_a_stopped_run_adds_to_its_ledger(recipe: Recipe, tmp_path: Path) -> None:
    undo = stop_after(70, KeyboardInterrupt(), is_killed=False)
    with pytest.raises(KeyboardInterrupt):
        train_quietly(recipe, tmp_path / "run")
    undo()
    assert sum(release.steps for release in read_ledger(tmp_path / "run").releases) == 71  # the last one may have looked
    run = resume(tmp_path / "run", quiet=True, device="cpu")
    (release,) = read_ledger(run.path).releases
    assert release.steps == STEPS  # the plan's, and no more
    assert read_ledger(run.path).epsilon <= 2.0
    assert run.recipe.train.samples < BATCH * STEPS  # what was lost is paid for


def test_a_killed_run_has_spent_what_it_booked(recipe: Recipe, tmp_path: Path) -> None:
    undo = stop_after(70, RuntimeError("killed"), is_killed=True)
    with pytest.raises(RuntimeError):
        train_quietly(recipe, tmp_path / "run")
    undo()
    assert read_ledger(tmp_path / "run").releases[0].steps == 100  # two bookings of 50; 71 were taken
    run = train_quietly(recipe, tmp_path / "run")  # the same command goes on
    assert sum(release.steps for release in read_ledger(run.path).releases) == STEPS
    again = (run.path / LEDGER_NAME).read_text()
    train_quietly(recipe, tmp_path / "run")  # finished
    assert (run.path / LEDGER_NAME).read_text() == again


def test_each_step_is_in_the_file_before_it_is_taken(tmp_path: Path) -> None:
    account = PrivacyAccount(tmp_path / LEDGER_NAME, NoisyRelease(0.1, 2.0, 1, "x"), Ledger(1e-5), 1.0)
    affordable, taken = account.affordable_steps, 0
    while account.affordable_steps:
        account.book_step()
        taken += 1
        assert read_ledger(tmp_path).releases[0].steps >= taken
    assert taken == affordable == read_ledger(tmp_path).releases[0].steps
    assert read_ledger(tmp_path).epsilon <= 1.0 < account.ledger.add(account.step).epsilon
    with pytest.raises(GanvasError, match="has spent its epsilon"):
        account.book_step()


def test_a_promise_is_not_stretched_and_a_ledger_not_forgotten(recipe: Recipe, tmp_path: Path) -> None:
    run = train_quietly(recipe, tmp_path / "run")
    with pytest.raises(GanvasError, match="more would break its promise"):
        resume(run.path, samples=BATCH * STEPS * 2, quiet=True, device="cpu")
    (run.path / "scores.jsonl").write_text("")  # as if it was stopped before its last card
    content = json.loads((run.path / LEDGER_NAME).read_text())
    content["releases"][0]["steps"] = 5
    for text in (json.dumps(content), None):
        (run.path / LEDGER_NAME).write_text(text) if text else (run.path / LEDGER_NAME).unlink()
        with pytest.raises(GanvasError, match="missing or older than the last checkpoint"):
            resume(run.path, quiet=True, device="cpu")


@pytest.mark.parametrize("accumulate", [1, 3])
@pytest.mark.parametrize("nets", [MLP(z_dim=4, g_hidden=(8,), d_hidden=(8, 8)), DCGAN(z_dim=4, width=4, d_norm="none")])
def test_a_step_without_noise_is_the_sum_of_clipped_gradients(
    recipe: Recipe, nets: Any, accumulate: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = replace(recipe.method, clip=0.02, sigma=1e-12)  # type: ignore[type-var]
    recipe = replace(recipe, nets=nets, method=method, train=replace(recipe.train, batch=40, samples=40, accumulate=accumulate))
    data = noise(recipe)
    state = build_state(recipe, data.spec, 0, CPU)
    before, gradients, batches = build_state(recipe, data.spec, 0, CPU).nets["D"], dict[str, torch.Tensor](), list[Any]()
    draw = data.batch

    def keep_batch(seed: int, size: int) -> Any:
        batches.append(draw(seed, size))
        return batches[-1]

    monkeypatch.setattr(data, "batch", keep_batch)
    loop = Loop(recipe, data, state, 0)

    def keep_gradients(name: str, *others: object) -> None:
        if name == "D":
            gradients.update({key: p.grad.clone() for key, p in state.nets[name].named_parameters() if p.grad is not None})

    monkeypatch.setattr(loop, "prepare_gradients", keep_gradients)
    shown: list[torch.Tensor] = []
    generate = PrivateAdversarial.generate_fakes

    def keep_fakes(method: PrivateAdversarial, nets: Any) -> torch.Tensor:
        shown.append(generate(method, nets))
        return shown[-1]

    monkeypatch.setattr(PrivateAdversarial, "generate_fakes", keep_fakes)
    loop.train_step(method.stage(state.nets, state.clock), 40)
    for module in before.modules():
        if isinstance(module, torch.nn.LeakyReLU):
            module.inplace = False  # for vmap
    reals = clip_row_gradients(before, lambda D, x: torch.relu(1 - D(x).logits), [batches[0]["x"]], 0.02)
    torch.relu(1 + before(shown[0].detach()).logits).mean().backward()
    fakes = {key: parameter.grad for key, parameter in before.named_parameters()}
    assert (reals.norms > 0.02).any()  # something is clipped
    for key, gradient in gradients.items():
        torch.testing.assert_close(gradient, reals.sums[key] / 40 + fakes[key], rtol=1e-4, atol=1e-7)


def test_objectives_that_show_reals_to_g_are_refused() -> None:
    assert all(is_separable(objective) for objective in (Hinge(), Wasserstein(), LabelSmoothing()))
    for objective in (RelativisticPairing(), RelativisticAverage()):
        with pytest.raises(GanvasError, match="G would see reals"):
            PrivateAdversarial(objective=objective)


@pytest.mark.parametrize(
    ("nets", "message"),
    [(DCGAN(z_dim=4, width=4), "normalises over a batch"), (MinibatchDiscrimination(nets=MLP()), "linear layers and plain")],
)
def test_a_critic_that_mixes_rows_is_refused(recipe: Recipe, tmp_path: Path, nets: Any, message: str) -> None:
    with pytest.raises(GanvasError, match=message):
        train_quietly(replace(recipe, nets=nets, medium=replace(recipe.medium, size=16)), tmp_path / "run")  # type: ignore[type-var]
    assert not (tmp_path / "run" / LEDGER_NAME).exists()


def test_other_batches_are_refused(recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(GanvasError, match="set batches to Poisson"):
        train_quietly(replace(recipe, batches=Uniform()), tmp_path / "run")


def test_commands_choose_by_the_data(tmp_path: Path) -> None:
    method: Any = find_recipe("private_pictures").method
    assert choose_private_recipe(None, "photos/", 4.0, None).method == replace(method, epsilon=4.0)
    with pytest.raises(GanvasError, match="pictures have none"):
        choose_private_recipe(None, "photos/", 4.0, "bounds.toml")
    with pytest.raises(GanvasError, match="pictures by private_pictures and not by dcgan"):
        choose_private_recipe("dcgan", "photos/", 4.0, None)
