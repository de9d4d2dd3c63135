"""Words by likelihood alone and by a policy gradient, in the same seconds of the processor: how many are real, how many differ?

python benchmarks/letters.py WORDS.txt [--seconds 60] [--n 5000] [--seed 0] [--only NAME …]

Each row: the share of samples that are words (of training, or held out), how many differ, the score card's distances, and the
likelihood of held-out words. Temperatures below 1 make likelihood's samples surer: the policy gradient has to beat that curve.
"""

import argparse
import json
import time
from dataclasses import replace

import torch

from ganvas.core import Request, seeded_generator
from ganvas.data import Lines
from ganvas.evaluation.evaluator import Evaluator
from ganvas.extractors import NGrams
from ganvas.media import LettersCodec
from ganvas.methods import PolicyGradient
from ganvas.methods.policy_gradient import measure_token_nll
from ganvas.metrics import KID, Frechet
from ganvas.metrics.baselines import choose_sample_baselines
from ganvas.recipe import Recipe
from ganvas.recipes import find_recipe
from ganvas.runs.state import State, build_state
from ganvas.sampling.stream import stream_samples, use_evaluation_mode
from ganvas.training.loop import Loop
from ganvas.training.preparation import prepare_data_and_evaluator

TEMPERATURES = (1.0, 0.9, 0.8, 0.7)
LIKELIHOOD = PolicyGradient(likelihood=1.0, warm_up=0.0)
METHODS = {
    "likelihood": LIKELIHOOD,
    "game, weight 1": PolicyGradient(),
    "game, weight 0.3": PolicyGradient(likelihood_weight=0.3),
    "game alone": PolicyGradient(likelihood_weight=0.0),
    "game, whole reward": PolicyGradient(reward="whole"),
    "from scratch": PolicyGradient(likelihood=0.0, warm_up=0.0, likelihood_weight=0.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words")
    parser.add_argument("--seconds", type=float, default=60.0, help="of processor time, for each method")
    parser.add_argument("--n", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=list(METHODS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    recipe = find_recipe("letters")
    recipe = replace(recipe, data=Lines(path=arguments.words), evaluation=replace(recipe.evaluation, samples=arguments.n))
    _, training, _, evaluator = prepare_data_and_evaluator(recipe, None, torch.device("cpu"))
    assert evaluator is not None
    judge = WordJudge(evaluator)
    held_out = judge.unseen.take(0, 10**6)["x"]
    held_out = held_out[torch.randperm(len(held_out), generator=seeded_generator(0))[: arguments.n]]
    show("real, held out", judge.judge_words(held_out))
    for baseline in choose_sample_baselines(training):
        show(baseline.name, judge.judge_words(baseline.draw(training, arguments.n, seeded_generator(0, baseline.name))))
    for name in arguments.only:
        state, steps = train_for(replace(recipe, method=METHODS[name]), training, arguments.seconds, arguments.seed)
        nets = state.select_sampling_networks()
        with use_evaluation_mode(nets), torch.no_grad():
            nll = float(measure_token_nll(nets, training.codec.load(held_out, None)).mean())
        for temperature in TEMPERATURES if METHODS[name] == LIKELIHOOD else (1.0,):
            blocks = stream_samples(METHODS[name], nets, training.codec, arguments.n, 0, request=Request({}, temperature))
            row = judge.judge_words(torch.cat(list(blocks))) | {"nats": round(nll, 2), "steps": steps}
            show(f"{name}, T {temperature}", row)


def train_for(recipe: Recipe, data: object, seconds: float, seed: int) -> tuple[State, int]:
    """Networks after so many seconds of the processor, however busy the machine is; and their number of steps.

    Stages go by time, too: the clock of samples runs as fast as the processor's.
    """
    state = build_state(recipe, data.spec, seed, torch.device("cpu"))  # type: ignore[attr-defined]
    total, start = 10**6, time.process_time()
    state.clock = state.clock._replace(total=total)

    def follow_processor(state: State, _: object) -> bool:
        share = (time.process_time() - start) / seconds
        state.clock = state.clock._replace(samples=min(total, int(share * total)))
        return share >= 1

    Loop(recipe, data, state, seed).train_to_budget(follow_processor)  # type: ignore[arg-type]
    return state, state.clock.step


class WordJudge:
    """What is seen of generated words."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.scorer, codec = evaluator.scorers[0], evaluator.codec
        assert isinstance(codec, LettersCodec)
        self.codec = codec
        self.training = set(codec.read_texts(evaluator.train.columns["x"][:]))
        self.unseen = evaluator.split.unseen or evaluator.split.held_out
        self.held_out = set(codec.read_texts(self.unseen.take(0, 10**6)["x"]))

    def judge_words(self, stored: torch.Tensor) -> dict[str, object]:
        """Shares and distances of samples [N, T]."""
        words = self.codec.read_texts(stored)
        features, real = NGrams()(stored), self.scorer.load_reals(len(words))
        return {
            "known": round(sum(word in self.training for word in words) / len(words), 4),
            "new": round(sum(word in self.held_out for word in words) / len(words), 4),
            "distinct": round(len(set(words)) / len(words), 4),
            "letters": round(sum(map(len, words)) / len(words), 2),
            "frechet": round(Frechet()(real, features)["frechet"], 2),
            "kid": round(1000 * KID(subsets=10, subset_size=500)(real, features)["kid"], 2),
            "words": " ".join(words[:8]),
        }


def show(name: str, row: dict[str, object]) -> None:
    print(json.dumps({"what": name, **row}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
