"""Compare runs: their costs and scores, and a ranking of runs that were scored by one protocol.

Only whole score cards count: those at the end of training, and those of `ganvas evaluate`. Scores of different protocols
are shown, but never ranked.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from math import inf, isfinite
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..configuration import to_json
from ..core import format_shape
from ..errors import GanvasError
from ..extractors.by_name import find_word
from ..runs.folder import RunFolder
from ..system.console import align_columns
from .judges import fill_judges
from .score_card import format_protocol, get_judge_word, name_direction, name_score

CARD_KINDS = ("final", "evaluate")
MAX_RUNS = 64  # so that one picture can show all of them
DATA_TITLE_KEY = "data"  # the title of the data; the protocol's fingerprint identifies it
PROTOCOL_TYPES = {"extractor": str, "samples": int, "reference": str, "held_out": str, "seed": int, "resize": str}
EVALUATE_OPTIONS = {  # options of `ganvas evaluate`, by the part of the protocol that they decide
    "extractor": "--extractor",
    "samples": "--n",
    "data": "--data",
    "fingerprint": "--data",
    "reference": "--data",
    "held_out": "--data",
    "unseen": "--data",
}
CardJson = Mapping[str, Any]


class Contender(NamedTuple):
    """A run and its whole score cards by protocol, oldest first."""

    name: str
    run: RunFolder
    cards: Mapping[str, list[CardJson]]

    def format_sample_shape(self) -> str:
        return format_shape(self.run.read_codec().spec.shape)


def compare_runs(runs: Sequence[RunFolder]) -> dict[str, Any]:
    """Compare `runs`. The result holds only JSON types:

    runs: the facts and costs of each run ("run", "path", "recipe", "sample", "samples", "minutes", "samples_per_second",
        "parameters").
    groups: one for each protocol that all runs share; if there is none, the protocols that each run shares with most
        others. A group has "protocol", "ranked_by" (a score's name; None if nothing can be ranked), "lower_is_better",
        "notes" and "entries". An entry has "run", "rank" (None for a card that does not decide the rank), "which",
        "samples", "scores", "floor".
    problems: why the runs are not all in one ranking, and how to fix that; [] if they are.

    Raises:
        GanvasError: fewer than two runs, more than MAX_RUNS, one run twice, or no run with a score card.
    """
    contenders = list_contenders(runs)
    scored_contenders = [c for c in contenders if c.cards]
    if not scored_contenders:
        raise GanvasError(f"no score cards to compare: finish the trainings, or: ganvas evaluate {contenders[0].run.path}")
    runs_per_protocol = Counter(protocol for c in scored_contenders for protocol in c.cards)
    chosen_protocols = [
        p for p in list_latest_protocols(scored_contenders[0]) if runs_per_protocol[p] == len(scored_contenders)
    ]
    if not chosen_protocols:
        chosen_protocols = list(
            dict.fromkeys(max(list_latest_protocols(c), key=runs_per_protocol.__getitem__) for c in scored_contenders)
        )
    groups = [rank_group([c for c in scored_contenders if p in c.cards], p) for p in chosen_protocols]
    problems = [f"{c.run.path} has no score card: finish its training, or: ganvas evaluate {c.run.path}"
                for c in contenders if not c.cards]  # fmt: skip
    if any(runs_per_protocol[p] < len(scored_contenders) for p in chosen_protocols):
        problems.append(format_remedy(groups, {c.name: c.run.path for c in scored_contenders}))
    elif len(scored_contenders) > 1 and not any(g["ranked_by"] for g in groups):
        problems.append("the runs have no score in common: choose runs whose recipes have the same metrics")
    return {"runs": [describe_run(c) for c in contenders], "groups": groups, "problems": problems}


def list_latest_protocols(contender: Contender) -> list[str]:
    return list(contender.cards)[::-1]


def list_contenders(runs: Sequence[RunFolder]) -> list[Contender]:
    """The runs under unique names: the names of their folders, or their paths if two folders have the same name."""
    if not 2 <= len(runs) <= MAX_RUNS:
        raise GanvasError(f"compare takes 2 to {MAX_RUNS} runs, got {len(runs)}: ganvas compare RUN RUN …")
    paths = [run.path.resolve() for run in runs]
    duplicate = next((run.path for run, path in zip(runs, paths, strict=True) if paths.count(path) > 1), None)
    if duplicate is not None:
        raise GanvasError(f"{duplicate} is given twice: ganvas compare takes different runs")
    has_same_names = len({path.name for path in paths}) < len(paths)
    return [
        Contender(str(r.path) if has_same_names else p.name, r, group_cards_by_protocol(r))
        for r, p in zip(runs, paths, strict=True)
    ]


def group_cards_by_protocol(run: RunFolder) -> dict[str, list[CardJson]]:
    """The run's whole score cards by protocol; the protocol of the newest card comes last."""
    cards: dict[str, list[CardJson]] = {}
    for card in filter(is_whole_card, run.score_cards):
        protocol = json.dumps({k: v for k, v in card["protocol"].items() if k != DATA_TITLE_KEY}, sort_keys=True)
        cards[protocol] = [*cards.pop(protocol, []), card]
    return cards


def is_whole_card(card: CardJson) -> bool:
    """Whether a line of scores.jsonl is a whole score card; an old or foreign file may hold other lines."""
    if card.get("kind") not in CARD_KINDS or not is_numeric(card.get("samples")) or not card.get("scores"):
        return False
    if not all(isinstance(card.get(part), dict) for part in ("scores", "floor", "lower_is_better", "protocol")):
        return False
    if not is_numeric(*card["scores"].values(), *card["floor"].values()):
        return False
    return all(isinstance(card["protocol"].get(name), kind) for name, kind in PROTOCOL_TYPES.items())


def is_numeric(*values: Any) -> bool:
    return all(isinstance(value, (int, float)) for value in values)


def describe_run(contender: Contender) -> dict[str, Any]:
    """A run's facts and costs; None for each one that its folder does not hold."""
    run = contender.run
    log_points = [(line.get("samples"), line.get("seconds")) for line in run.read_lines("log.jsonl")]
    samples, seconds = next(((i, s) for i, s in reversed(log_points) if is_numeric(i, s)), (None, None))
    with torch.device("meta"):  # shapes only: no random draws, no memory
        nets = run.recipe.nets.build(run.read_spec())
    return {
        "run": contender.name,
        "path": str(run.path),
        "recipe": run.recipe.name,
        "sample": contender.format_sample_shape(),
        "samples": samples,
        "minutes": None if seconds is None else seconds / 60,
        "samples_per_second": samples / seconds if samples and seconds else None,
        "parameters": {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()},
    }


# ---------------------------------------------------------------- one protocol


def rank_group(contenders: Sequence[Contender], protocol: str) -> dict[str, Any]:
    """Rank the runs of one protocol by the first score that all of them have with the same settings."""
    entries_by_run = {c.name: list_entries(c, protocol) for c in contenders}
    main_entries = [run_entries[0] for run_entries in entries_by_run.values()]
    card = contenders[0].cards[protocol][-1]
    metric_settings = [describe_metrics(c.run, c.cards[protocol][-1]) for c in contenders]
    differing_scores = [
        name
        for name in metric_settings[0]
        if any(settings.get(name, metric_settings[0][name]) != metric_settings[0][name] for settings in metric_settings)
    ]
    names = [
        name
        for name, is_lower_better in card["lower_is_better"].items()
        if is_lower_better is not None and all(name in e["scores"] for e in main_entries) and name not in differing_scores
    ]
    ranking_score = names[0] if names and len(main_entries) > 1 else None
    if ranking_score is not None:
        sign = 1 if card["lower_is_better"][ranking_score] else -1
        main_entries.sort(key=lambda e: sign * e["scores"][ranking_score] if isfinite(e["scores"][ranking_score]) else inf)
        for rank, entry in enumerate(main_entries, 1):
            entry["rank"] = rank
    notes = [f"{name} was computed in different ways: not comparable" for name in differing_scores if name in card["scores"]]
    cautions = {line: c.name for c in contenders for line in c.cards[protocol][-1].get("cautions", ())}
    notes += [f"{name}: {line}" for line, name in cautions.items()]
    shapes = dict.fromkeys(c.format_sample_shape() for c in contenders)
    if len(shapes) > 1:
        notes.append(f"samples of different sizes ({', '.join(shapes)}): each run was scored against the data at its own size")
    return {
        "protocol": card["protocol"],
        "ranked_by": ranking_score,
        "lower_is_better": {
            name: lower for c in contenders for name, lower in c.cards[protocol][-1]["lower_is_better"].items()
        },
        "notes": notes,
        "entries": [entry for e in main_entries for entry in entries_by_run[e["run"]]],
    }


def list_entries(contender: Contender, protocol: str) -> list[dict[str, Any]]:
    """The newest cards of a run's best and last checkpoint; if there are none, only its newest card."""
    newest_cards = {card["samples"]: card for card in contender.cards[protocol]}
    samples_by_mark = {mark: find_mark_samples(contender, mark) for mark in ("best", "last")}
    marks_by_samples = {
        count: [mark for mark in samples_by_mark if samples_by_mark[mark] == count]
        for count in samples_by_mark.values()
        if count is not None and count in newest_cards
    }
    if not marks_by_samples:
        marks_by_samples = {contender.cards[protocol][-1]["samples"]: ["checkpoint"]}
    head = {"run": contender.name, "rank": None}
    cards = [
        (newest_cards[samples], {"which": ", ".join(mark_names), "samples": samples})
        for samples, mark_names in marks_by_samples.items()
    ]
    return [head | place | {"scores": card["scores"], "floor": card["floor"]} for card, place in cards]


def find_mark_samples(contender: Contender, mark: str) -> int | None:
    """The samples seen by the run's "best" or "last" checkpoint, from its final cards, else from its checkpoint folders."""
    for cards in reversed(list(contender.cards.values())):
        for card in reversed(cards):
            if card["kind"] == "final" and mark in str(card.get("which", "")):
                return card["samples"]
    try:
        return int(contender.run.find_checkpoint(mark).name)
    except GanvasError:
        return None


def describe_metrics(run: RunFolder, card: CardJson) -> dict[str, str]:
    """For each score of a card what its protocol does not say: the metric's settings; of later judges also the extractor."""
    judges, others = fill_judges(run.recipe.evaluation, run.read_codec()).judges, card.get("judges")
    first_judge = next((judge for judge in judges if judge.extractor.name == card["protocol"]["extractor"]), judges[0])
    settings = {name: str(to_json(metric)) for metric in first_judge.metrics for name in metric.lower_is_better}
    for judge in judges:
        word = judge.extractor.word
        if isinstance(others, dict) and word in others:
            names = [(name, metric) for metric in judge.metrics for name in metric.lower_is_better]
            settings |= {f"{word}/{name}": f"{others[word]} {to_json(metric)}" for name, metric in names}
    return settings


# ---------------------------------------------------------------- several protocols


def format_remedy(groups: Sequence[Mapping[str, Any]], paths: Mapping[str, Path]) -> str:
    """How the protocols differ, and commands to score all runs by the most common one (of equals, that with fewest samples)."""
    differing_parts = find_differences(groups)
    message = f"scores of different protocols cannot be ranked ({'; '.join(f'{k}: {v}' for k, v in differing_parts.items())})"
    fixed_parts = [name for name in differing_parts if name not in EVALUATE_OPTIONS]
    if fixed_parts:
        return f"{message}. New scores cannot change a run's {' or '.join(fixed_parts)}: compare runs that agree in it"
    target_protocol = min(groups, key=lambda g: (-len(g["entries"]), g["protocol"]["samples"]))["protocol"]
    extractor = find_word(target_protocol["extractor"]) or "NAME"
    values = {"--n": str(target_protocol["samples"]), "--extractor": extractor, "--data": "PATH"}
    option_words = " ".join(
        f"{option} {values[option]}" for option in dict.fromkeys(EVALUATE_OPTIONS[name] for name in differing_parts)
    )
    others = [
        paths[name]
        for g in groups
        if g["protocol"] is not target_protocol or "PATH" in option_words
        for name in list_members(g)
    ]
    commands = [f"ganvas evaluate {path} {option_words}" for path in others[:4]] + ["…"] * (len(others) > 4)
    return f"{message}. Score them alike: {'; '.join(commands)}"


def find_differences(groups: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """For each part of the protocol that differs between groups, its values and the runs that have them."""
    protocols = [g["protocol"] for g in groups]
    names = dict.fromkeys(name for protocol in protocols for name in protocol)
    differing_names = {name for name in names if any(p.get(name) != protocols[0].get(name) for p in protocols)}
    if "fingerprint" in differing_names and DATA_TITLE_KEY in differing_names:
        differing_names.discard("fingerprint")  # different titles already show that the data differs
    else:
        differing_names.discard(DATA_TITLE_KEY)
    if "samples" in differing_names or DATA_TITLE_KEY in differing_names or "fingerprint" in differing_names:
        differing_names -= {"reference", "held_out", "unseen"}  # these follow from the others
    return {
        name: " | ".join(f"{format_setting(g['protocol'].get(name))} ({', '.join(list_members(g))})" for g in groups)
        for name in names
        if name in differing_names
    }


def list_members(group: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys(entry["run"] for entry in group["entries"]))


def format_setting(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


# ---------------------------------------------------------------- as text


def format_comparison(result: Mapping[str, Any]) -> str:
    """`compare_runs`'s result as text: the runs, then the scores of each protocol, best first."""
    rows = [["run", "recipe", "sample", "samples", "minutes", "samples/s", "parameters"]]
    for fact in result["runs"]:
        sizes = ", ".join(f"{name} {count:,}" for name, count in fact["parameters"].items())
        costs = [
            format_number(fact[name], form)
            for name, form in (("samples", ",.0f"), ("minutes", ".1f"), ("samples_per_second", ",.0f"))
        ]
        rows.append([fact["run"], fact["recipe"], fact["sample"], *costs, sizes])
    return "\n\n".join([align_columns(rows, left_columns=(0, 1, 2, 6)), *map(format_group, result["groups"])])


def format_group(group: Mapping[str, Any]) -> str:
    names = list(dict.fromkeys(name for entry in group["entries"] for name in entry["scores"]))
    tables = [format_scores(group, [name for name in names if get_judge_word(name) == word])
              for word in dict.fromkeys(map(get_judge_word, names))]  # fmt: skip
    ranking = f"ranked by {name_score(group['ranked_by'], group['protocol'])}" if group["ranked_by"] else "not ranked"
    footer_lines = [
        f"{ranking}; {format_protocol(group['protocol'])}",
        f"data {group['protocol'].get(DATA_TITLE_KEY, 'not recorded')}",
    ]
    return "\n".join([*tables, *(f"  {line}" for line in [*footer_lines, *group["notes"]])])


def format_scores(group: Mapping[str, Any], names: Sequence[str]) -> str:
    """The scores by one judge as a table."""
    rows = [["", "run", "checkpoint", *(name_score(name, group["protocol"]) for name in names)]]
    for entry in group["entries"]:
        values = [format_number(entry["scores"].get(name), ".4g") for name in names]
        rank = f"{entry['rank']}." if entry["rank"] else ""
        rows.append([rank, entry["run"], f"{entry['which']}, {entry['samples']:,}", *values])
    floors: list[list[str]] = []
    for entry in group["entries"]:
        floor = [format_number(entry["floor"].get(name), ".4g") for name in names]
        if floor not in floors:  # there are several only if the runs' samples differ in size
            floors.append(floor)
            rows.append(["", "real", f"of {entry['run']}", *floor])
    if len(floors) == 1:
        rows[-1][2] = ""
    rows.append(["", "better", "", *(name_direction(group["lower_is_better"].get(name)) for name in names)])
    return align_columns(rows, left_columns=(0, 1, 2))


def format_number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
