"""Attack a run."""

from pathlib import Path
from typing import Any

from ..errors import GanvasError
from ..evaluation.leaks.card import attack_sampler, choose_sample_count, count_targets
from ..evaluation.leaks.targets import open_targets
from ..privacy.attacks.membership_by_distance import TARGETS
from ..privacy.attacks.rates import MIN_TARGETS
from ..runs.folder import RunFolder
from ..sampling.generator import Sampler
from .attack_table import ATTACKS_FILE
from .page import write_report


def attack(
    run: str | Path | RunFolder,
    held_out: Any = None,
    *,
    n: int | None = None,
    targets: int = TARGETS,
    seed: int = 0,
    checkpoint: str = "best",
    device: str = "auto",
) -> dict[str, Any]:
    """Attack a run: what do its samples, and its D, tell about the data that it has learnt from?

    Of tables: membership, singling out, linkability and inference (Article 29 Working Party, opinion 05/2014). Of other
    samples: membership. The card is added to attacks.jsonl in the run's folder, and shown on its page.

    Args:
        held_out: a path of samples that training never saw, or of tables a frame as `ganvas.train` takes it. None: the run's
            own held-out part.
        n: how many synthetic samples the attacker has; None is as many as there are training samples, at most 20,000 rows or
            5,000 other samples.
        targets: at most so many training samples are attacked, and as many held-out ones.
        seed: of the samples, and of who is attacked.

    Returns:
        {"attacks": [{"name", "question", "members", "control", "difference", "interval", "is_leak", "sentence", …}, …],
        "summary": …, "protocol": …, "notes": …}, and of tables "copies".

    Raises:
        GanvasError: no run, a translator, nothing held out, or held-out samples that do not fit the run.
    """
    if targets < MIN_TARGETS:
        raise GanvasError(f"targets must be {MIN_TARGETS} samples or more, got {targets}")
    run = run if isinstance(run, RunFolder) else RunFolder(run)
    sampler = Sampler(run, checkpoint, device)
    if sampler.is_translator:
        raise GanvasError(
            f"{run.path} translates pictures, and attacks ask what new samples tell of the training data. Attack a run that "
            "generates"
        )
    sides = open_targets(run, held_out, count_targets(sampler.codec, targets), seed)
    count = choose_sample_count(sampler.codec, n, int(run.meta["data"]["count"]))
    head = {"samples": int(sampler.checkpoint_folder.name), "checkpoint": sampler.checkpoint_folder.name, "kind": "attack"}
    card = head | attack_sampler(sampler, sides, run.recipe.evaluation, count, targets, seed)
    run.append_line(ATTACKS_FILE, card)
    write_report(run.path)
    return card
