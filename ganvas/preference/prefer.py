"""Learn what people prefer from their choices, and train a run's generator to make it, near where it was."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ..augment import DiffAugment
from ..core import PrivateMethod
from ..errors import GanvasError
from ..methods import Preferred
from ..recipe import Recipe, Transfer
from ..runs.folder import RunFolder
from ..runs.rewards import save_reward
from ..sampling.generator import Sampler
from ..system.console import print_status
from ..system.files import write_json
from ..training.resuming import replace_budget
from ..training.session import train
from .choices import SeedPair, read_likes, read_pairs
from .comparison import compare_with_start
from .learning import describe_learning, describe_rewards, learn_rewards
from .page import check_comparable

OUTCOME_FILE = "preferred.json"
EMA_RAMP = 0.25  # weights begin near their average here, so that it may be long from the start


def prefer(
    run: str | Path | RunFolder,
    *,
    pairs: str | Path | Sequence[SeedPair] | None = None,
    likes: str | Path | Sequence[int] | None = None,
    minutes: float | None = None,
    samples: int | None = None,
    out: str | Path | None = None,
    weight: float | None = None,
    margin: float | None = None,
    stay: float | None = None,
    known: Callable[[Tensor], Tensor] | None = None,
    seed: int = 0,
    checkpoint: str = "best",
    device: str = "auto",
    threads: int | None = None,
    quiet: bool = False,
) -> dict[str, Any]:
    """Learn a reward from choices between a run's samples. With a budget, also train a new run that makes what people prefer.

    The reward goes to the run's folder, where `ganvas.generate(run, n, best_of=8)` finds it. The new run starts from the
    run's weights. The same call on the same folder goes on with it.

    Args:
        pairs: a file with the columns better_seed and worse_seed, or pairs of seeds, the better one first.
        likes: instead, a file with the column seed, or the seeds of samples that people like.
        minutes, samples: how long to train, as `ganvas.train` takes them. None of them: only the reward is learnt.
        out: the folder of the new run; None is the run's with "-preferred" at its end.
        weight: of the preference. More wins more choices and costs more of the variety. None is that of `Preferred`.
        margin: how far new samples are to win, in deviations of the reward. None is that of `Preferred`.
        stay: of the distance from the start. None is that of `Preferred`.
        known: the preference itself, if it is known: stored samples [N, …] -> [N]. The report compares by it, too.

    Returns:
        {"accuracy", "accuracy_interval", "training_pairs", "held_out_pairs", …}; after training also "run", "wins",
        "reward_wins", "judge_accuracy", "known_wins", "before", "after" and "sentences".

    Raises:
        GanvasError: no choices or two kinds of them, choices that cannot be used, a run without pictures of seeds, or
            training of a private run.
    """
    run = run if isinstance(run, RunFolder) else RunFolder(run)
    is_trained = minutes is not None or samples is not None
    check_request(run, is_trained, pairs is not None, likes is not None, out is not None)
    choices = read_pairs(pairs) if pairs is not None else read_likes(likes or ())
    sampler = Sampler(run, checkpoint, device)
    check_comparable(sampler)
    rewards = learn_rewards(sampler, choices)
    card = describe_rewards(choices, rewards, sampler.checkpoint_folder.name)
    save_reward(run.path, rewards.reward, card)
    print_lines(describe_learning(choices, rewards), quiet)
    if not is_trained:
        return card
    recipe = replace_budget(build_recipe(sampler, choices.fingerprint, weight, margin, stay), minutes, samples)
    path = Path(out) if out is not None else run.path.with_name(f"{run.path.name}-preferred")
    preferred = train(recipe, out=path, seed=seed, device=device, threads=threads, quiet=quiet)
    save_reward(preferred.path, rewards.reward, card)
    outcome = compare_with_start(sampler, preferred, rewards, known, device)
    print_lines(outcome["sentences"], quiet)
    result = {**card, "run": str(preferred.path), **outcome}
    write_json(preferred.path / OUTCOME_FILE, result)
    return result


def print_lines(lines: Sequence[str], is_quiet: bool) -> None:
    for line in lines:
        print_status(is_quiet, line)


def check_request(run: RunFolder, is_trained: bool, has_pairs: bool, has_likes: bool, has_out: bool) -> None:
    """Raises GanvasError for no choices or two kinds of them, a new run without a budget, or training of a private run."""
    if has_pairs == has_likes:
        raise GanvasError(
            "give the choices, pairs or likes: --pairs FILE or --likes FILE. A page to choose on: ganvas prefer "
            f"{run.path} --page page.html"
        )
    if has_out and not is_trained:
        raise GanvasError("a new run needs a budget: --minutes 3. Without one, only the reward is learnt")
    if is_trained:
        refuse_private(run)


def refuse_private(run: RunFolder) -> None:
    if isinstance(run.recipe.method, PrivateMethod):
        raise GanvasError(
            f"{run.path} is private, and the game would see its training samples again, without a promise: leave out "
            "--minutes, and choose among its samples with ganvas generate --best-of 8"
        )


def build_recipe(sampler: Sampler, choices: str, weight: float | None, margin: float | None, stay: float | None) -> Recipe:
    """The run's recipe with the preference in its game. Its data, networks, judges and held-out samples stay as they are."""
    recipe = sampler.run.recipe
    game = recipe.method.game if isinstance(recipe.method, Preferred) else recipe.method
    usual = Preferred(game=game, view=DiffAugment(colour=False, cut=0.0), choices=choices)
    method = replace(
        usual,
        weight=usual.weight if weight is None else weight,
        margin=usual.margin if margin is None else margin,
        stay=usual.stay if stay is None else stay,
    )
    start = Transfer(run=str(sampler.run.path.resolve()), checkpoint=sampler.checkpoint_folder.name)
    # one snapshot: of several, scores would choose the first, which is nearest to the data and pleases least
    ema_ramp = max(EMA_RAMP, recipe.train.ema_ramp)
    schedule = replace(recipe.train, snapshots=1, threads=None, lr_scale=1.0, ema_ramp=ema_ramp)
    return replace(recipe, method=method, start=start, choose=None, train=schedule)
