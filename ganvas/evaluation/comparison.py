"""Runs side by side: what each cost and scored, and a ranking of those whose scores were taken by one protocol.

Only whole score cards count: those that end a training, and those of `ganvas evaluate`. Numbers of different protocols are
shown and never ranked.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from math import inf, isfinite
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..config import to_json
from ..errors import GanvasError
from ..extractors.by_name import EXTRACTORS
from ..runs.folder import Run
from ..system.console import aligned
from .score_card import called, protocol_words

KINDS = ("final", "evaluate")
MOST = 64  # runs, so that a picture of them all can be drawn
TITLE = "data"  # what a person calls the data, which the protocol's fingerprint identifies
WANTED = {"extractor": str, "samples": int, "reference": str, "held_out": str, "seed": int, "resize": str}
OPTIONS = {  # of `ganvas evaluate`, by what of a protocol they decide
    "extractor": "--extractor",
    "samples": "--n",
    "data": "--data",
    "fingerprint": "--data",
    "reference": "--data",
    "held_out": "--data",
}
Card = Mapping[str, Any]


class Contender(NamedTuple):
    """A run with its cards that count, by protocol, oldest first."""

    name: str
    run: Run
    cards: Mapping[str, list[Card]]

    def sample(self) -> str:
        return " x ".join(map(str, self.run.codec().spec.shape))


def compare(runs: Sequence[Run]) -> dict[str, Any]:
    """What there is to say about `runs`, in JSON's types:

    runs: of each what it is and cost ("run", "path", "recipe", "sample", "images", "minutes", "images_per_second",
        "parameters").
    groups: of each protocol by which all runs were scored, or, where there is none, of the one that each run shares with
        most of the others: "protocol", "ranked_by" (a score's name; None where nothing can be ranked), "lower_is_better",
        "notes", and "entries": "run", "rank" (None for a card beside the one that counts), "which", "images",
        "scores", "floor".
    problems: why not all runs are in one ranking, and how to mend it; [] if they are.

    Raises:
        GanvasError: fewer than two runs, more than MOST, one named twice, or none with a score card.
    """
    contenders = entered(runs)
    scored = [c for c in contenders if c.cards]
    if not scored:
        raise GanvasError(f"no score cards to compare: finish the trainings, or: ganvas evaluate {contenders[0].run.path}")
    having = Counter(protocol for c in scored for protocol in c.cards)
    chosen = [p for p in latest_first(scored[0]) if having[p] == len(scored)]
    if not chosen:
        chosen = list(dict.fromkeys(max(latest_first(c), key=having.__getitem__) for c in scored))
    groups = [group([c for c in scored if p in c.cards], p) for p in chosen]
    problems = [f"{c.run.path} has no score card: finish its training, or: ganvas evaluate {c.run.path}"
                for c in contenders if not c.cards]  # fmt: skip
    if any(having[p] < len(scored) for p in chosen):
        problems.append(remedy(groups, {c.name: c.run.path for c in scored}))
    elif len(scored) > 1 and not any(g["ranked_by"] for g in groups):
        problems.append("the runs have no score in common: choose runs whose recipes are judged by the same metrics")
    return {"runs": [facts(c) for c in contenders], "groups": groups, "problems": problems}


def latest_first(contender: Contender) -> list[str]:
    return list(contender.cards)[::-1]


def entered(runs: Sequence[Run]) -> list[Contender]:
    """The runs under names that tell them apart: their folders', or the paths as given where two folders are named alike."""
    if not 2 <= len(runs) <= MOST:
        raise GanvasError(f"compare takes 2 to {MOST} runs, got {len(runs)}: ganvas compare RUN RUN …")
    paths = [run.path.resolve() for run in runs]
    twice = next((run.path for run, path in zip(runs, paths, strict=True) if paths.count(path) > 1), None)
    if twice is not None:
        raise GanvasError(f"{twice} is named twice: ganvas compare takes different runs")
    alike = len({path.name for path in paths}) < len(paths)
    return [Contender(str(r.path) if alike else p.name, r, by_protocol(r)) for r, p in zip(runs, paths, strict=True)]


def by_protocol(run: Run) -> dict[str, list[Card]]:
    """The run's cards that count; of the protocols that scored last, the last comes last."""
    found: dict[str, list[Card]] = {}
    for card in filter(counts, run.scores):
        protocol = json.dumps({k: v for k, v in card["protocol"].items() if k != TITLE}, sort_keys=True)
        found[protocol] = [*found.pop(protocol, []), card]
    return found


def counts(card: Card) -> bool:
    """Whether a line of scores.jsonl is a whole score card: the file may be older, or somebody else's."""
    if card.get("kind") not in KINDS or not numbers(card.get("images")) or not card.get("scores"):
        return False
    if not all(isinstance(card.get(part), dict) for part in ("scores", "floor", "lower_is_better", "protocol")):
        return False
    if not numbers(*card["scores"].values(), *card["floor"].values()):
        return False
    return all(isinstance(card["protocol"].get(name), kind) for name, kind in WANTED.items())


def numbers(*values: Any) -> bool:
    return all(isinstance(value, (int, float)) for value in values)


def facts(contender: Contender) -> dict[str, Any]:
    """What a run is and what it cost; None for what its folder does not say."""
    run = contender.run
    logged = [(line.get("images"), line.get("seconds")) for line in run.lines("log.jsonl")]
    images, seconds = next(((i, s) for i, s in reversed(logged) if numbers(i, s)), (None, None))
    with torch.device("meta"):  # shapes alone: nothing is drawn, and no memory is taken
        nets = run.recipe.nets.build(run.spec())
    return {
        "run": contender.name,
        "path": str(run.path),
        "recipe": run.recipe.name,
        "sample": contender.sample(),
        "images": images,
        "minutes": None if seconds is None else seconds / 60,
        "images_per_second": images / seconds if images and seconds else None,
        "parameters": {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()},
    }


# ---------------------------------------------------------------- one protocol


def group(contenders: Sequence[Contender], protocol: str) -> dict[str, Any]:
    """The runs that were scored by one protocol, ranked by the first score that all of them have, taken in the same way."""
    shown = {c.name: entries(c, protocol) for c in contenders}
    first = [own[0] for own in shown.values()]
    card = contenders[0].cards[protocol][-1]
    ways = [taken(c.run) for c in contenders]
    differing = [name for name in ways[0] if any(way.get(name, ways[0][name]) != ways[0][name] for way in ways)]
    names = [name for name in card["lower_is_better"] if all(name in e["scores"] for e in first) and name not in differing]
    by = names[0] if names and len(first) > 1 else None
    if by is not None:
        sign = 1 if card["lower_is_better"][by] else -1
        first.sort(key=lambda e: sign * e["scores"][by] if isfinite(e["scores"][by]) else inf)
        for rank, entry in enumerate(first, 1):
            entry["rank"] = rank
    notes = [f"{name} was taken in different ways: not comparable" for name in differing if name in card["scores"]]
    shapes = dict.fromkeys(c.sample() for c in contenders)
    if len(shapes) > 1:
        notes.append(f"samples of different sizes ({', '.join(shapes)}): each run was scored against the data at its own")
    return {
        "protocol": card["protocol"],
        "ranked_by": by,
        "lower_is_better": {
            name: lower for c in contenders for name, lower in c.cards[protocol][-1]["lower_is_better"].items()
        },
        "notes": notes,
        "entries": [entry for e in first for entry in shown[e["run"]]],
    }


def entries(contender: Contender, protocol: str) -> list[dict[str, Any]]:
    """The cards of a run's best and last checkpoint, the newest of each; without them its newest card alone."""
    newest = {card["images"]: card for card in contender.cards[protocol]}
    marks = {mark: marked(contender, mark) for mark in ("best", "last")}
    own = {at: [mark for mark in marks if marks[mark] == at] for at in marks.values() if at is not None and at in newest}
    if not own:
        own = {contender.cards[protocol][-1]["images"]: ["checkpoint"]}
    head = {"run": contender.name, "rank": None}
    cards = [(newest[images], {"which": ", ".join(words), "images": images}) for images, words in own.items()]
    return [head | where | {"scores": card["scores"], "floor": card["floor"]} for card, where in cards]


def marked(contender: Contender, mark: str) -> int | None:
    """The images that the run's "best" or "last" checkpoint had seen: by the cards of its end, else by what is there."""
    for cards in reversed(list(contender.cards.values())):
        for card in reversed(cards):
            if card["kind"] == "final" and mark in str(card.get("which", "")):
                return card["images"]
    try:
        return int(contender.run.checkpoint(mark).name)
    except GanvasError:
        return None


def taken(run: Run) -> dict[str, str]:
    """How each score is taken: its metric's settings, which the protocol does not hold."""
    return {name: str(to_json(metric)) for metric in run.recipe.evaluation.metrics for name in metric.lower_is_better}


# ---------------------------------------------------------------- several protocols


def remedy(groups: Sequence[Mapping[str, Any]], paths: Mapping[str, Path]) -> str:
    """What sets protocols apart, and the commands that would score the runs as most of them are, with the fewest samples."""
    found = differences(groups)
    said = f"scores of different protocols cannot be ranked ({'; '.join(f'{k}: {v}' for k, v in found.items())})"
    settled = [name for name in found if name not in OPTIONS]
    if settled:
        return f"{said}. No scoring changes a run's {' or '.join(settled)}: compare runs that agree in it"
    like = min(groups, key=lambda g: (-len(g["entries"]), g["protocol"]["samples"]))["protocol"]
    extractor = next((name for name, kind in EXTRACTORS.items() if kind().name == like["extractor"]), "NAME")
    values = {"--n": str(like["samples"]), "--extractor": extractor, "--data": "PATH"}
    needed = " ".join(f"{option} {values[option]}" for option in dict.fromkeys(OPTIONS[name] for name in found))
    others = [paths[name] for g in groups if g["protocol"] is not like or "PATH" in needed for name in members(g)]
    commands = [f"ganvas evaluate {path} {needed}" for path in others[:4]] + ["…"] * (len(others) > 4)
    return f"{said}. Score them alike: {'; '.join(commands)}"


def differences(groups: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Of each part of the protocol that is not the same in all groups, the values and whose they are."""
    protocols = [g["protocol"] for g in groups]
    names = dict.fromkeys(name for protocol in protocols for name in protocol)
    apart = {name for name in names if any(p.get(name) != protocols[0].get(name) for p in protocols)}
    if "fingerprint" in apart and TITLE in apart:
        apart.discard("fingerprint")  # of data that are called differently, a person knows without it
    else:
        apart.discard(TITLE)
    if "samples" in apart or TITLE in apart or "fingerprint" in apart:
        apart -= {"reference", "held_out"}  # which follow from those
    return {
        name: " | ".join(f"{shown(g['protocol'].get(name))} ({', '.join(members(g))})" for g in groups)
        for name in names
        if name in apart
    }


def members(group: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(entry["run"] for entry in group["entries"]))


def shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


# ---------------------------------------------------------------- in words


def table(result: Mapping[str, Any]) -> str:
    """`compare`'s result as text: what the runs are, then the scores of each protocol, best first."""
    rows = [["run", "recipe", "sample", "images", "minutes", "images/s", "parameters"]]
    for fact in result["runs"]:
        sizes = ", ".join(f"{name} {count:,}" for name, count in fact["parameters"].items())
        costs = [
            rounded(fact[name], form) for name, form in (("images", ",.0f"), ("minutes", ".1f"), ("images_per_second", ",.0f"))
        ]
        rows.append([fact["run"], fact["recipe"], fact["sample"], *costs, sizes])
    return "\n\n".join([aligned(rows, left=(0, 1, 2, 6)), *map(group_table, result["groups"])])


def group_table(group: Mapping[str, Any]) -> str:
    names = list(dict.fromkeys(name for entry in group["entries"] for name in entry["scores"]))
    rows = [["", "run", "checkpoint", *(called(name, group["protocol"]) for name in names)]]
    for entry in group["entries"]:
        values = [rounded(entry["scores"].get(name), ".4g") for name in names]
        rank = f"{entry['rank']}." if entry["rank"] else ""
        rows.append([rank, entry["run"], f"{entry['which']}, {entry['images']:,}", *values])
    floors: list[Mapping[str, float]] = []
    for entry in group["entries"]:
        if entry["floor"] not in floors:  # one, but for runs whose samples differ in size
            floors.append(entry["floor"])
            rows.append(["", "real", f"of {entry['run']}", *(rounded(entry["floor"].get(name), ".4g") for name in names)])
    if len(floors) == 1:
        rows[-1][2] = ""
    ways = {True: "lower", False: "higher", None: ""}
    rows.append(["", "better", "", *(ways[group["lower_is_better"].get(name)] for name in names)])
    by = f"ranked by {called(group['ranked_by'], group['protocol'])}" if group["ranked_by"] else "not ranked"
    words = [f"{by}; {protocol_words(group['protocol'])}", f"data {group['protocol'].get(TITLE, 'not recorded')}"]
    return "\n".join([aligned(rows, left=(0, 1, 2)), *(f"  {line}" for line in [*words, *group["notes"]])])


def rounded(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
