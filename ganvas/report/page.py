"""A run's page: one self-contained HTML file, made only from the files in the run folder.

It can be written at any time, even during training: missing files are left out and incomplete lines skipped. page.html holds
the layout, the curves and the slider; this module reads, thins out and escapes the files.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from ..configuration import TYPE_KEY
from ..errors import GanvasError
from ..evaluation.score_card import get_judge_word, name_score
from ..system.files import explain_os_errors, write_atomically
from .attack_table import render_attacks
from .embedding import embed_picture
from .exhibits import render_exhibits

CURVE_POINTS = 600  # most points of a curve
MAX_PICTURES = 40
LOG_SECTIONS = ("terms", "seen", "gradient_norm", "lr")
T = TypeVar("T")


class LogRow(NamedTuple):
    """A line of log.jsonl. `values` are by (section, name); None is a number that was not finite."""

    samples: int
    seconds: float | None
    values: dict[tuple[str, str], float | None]


class ScoreCard(NamedTuple):
    """A line of scores.jsonl. Only cards of the same protocol are comparable."""

    samples: int
    kind: str  # snapshot | final
    scores: dict[str, float | None]
    floor: dict[str, float | None]
    lower_is_better: dict[str, bool | None]  # None: the value of real samples is best
    protocol: dict[str, Any]
    cautions: tuple[str, ...] = ()  # what to keep in mind of the scores
    remarks: tuple[str, ...] = ()  # what they mean
    baselines: Mapping[str, dict[str, float | None]] = {}  # scores by the baseline's name


def write_report(run: Path) -> Path:
    """Write RUN/report.html from the files in the run folder, in one atomic step, and return its path.

    Raises:
        GanvasError: `run` is not a folder, or cannot be written to.
    """
    if not run.is_dir():
        raise GanvasError(f"{run} is not a run folder: give the folder that ganvas train wrote to")
    page, text = run / "report.html", _render_page(run)
    with explain_os_errors("writing the report", run):
        write_atomically(page, lambda partial: partial.write_text(text, encoding="utf-8", errors="replace", newline="\n"))
    return page


def _render_page(run: Path) -> str:
    facts, rows, cards = _parse_object(_read_text(run / "recipe.json")), _read_rows(run), _read_cards(run)
    data = {
        "log": _build_columns(thin_rows(rows, CURVE_POINTS)),
        "scores": _build_score_curves(cards),
        "samples": _embed_samples(run),
    }
    parts = {
        "title": escape(str(facts.get("name") or run.resolve().name)),
        "subtitle": escape(str(_as_mapping(facts.get("data")).get("title", ""))),
        "figures": _render_figures(rows, cards),
        "warning": _render_warning(rows),
        "attacks": render_attacks(run),
        "exhibits": render_exhibits(run),
        "scores": _render_score_table(cards),
        "recipe": _render_tree(facts["recipe"])
        if "recipe" in facts
        else _render_placeholder("No recipe.json in the run folder."),
        "environment": _render_environment(facts),
        "data": json.dumps(data, allow_nan=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
    }
    template = files("ganvas.report").joinpath("page.html").read_text(encoding="utf-8")
    # one pass, so that a marker inside a value is not replaced
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _parse_object(text: str) -> dict[str, Any]:
    """The JSON object in a text; {} if it is missing or incomplete."""
    try:
        return _as_mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _as_mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _parse_number(value: Any) -> float | None:
    """A finite float; None for null, "NaN" and anything else that is not a number."""
    try:
        number = float(value) if isinstance(value, (int, float)) else math.nan
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _parse_numbers(value: Any) -> dict[str, float | None]:
    return {name: _parse_number(v) for name, v in _as_mapping(value).items()}


def _parse_samples(line: dict[str, Any]) -> int | None:
    samples = _parse_number(line.get("samples"))
    return int(samples) if samples is not None and 0 <= samples < 1e15 else None


def _parse_texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, cast("list[Any]", value))) if isinstance(value, list) else ()


def _read_rows(run: Path) -> list[LogRow]:
    rows: list[LogRow] = []
    for line in map(_parse_object, _read_text(run / "log.jsonl").split("\n")):
        samples = _parse_samples(line)
        if samples is None:
            continue
        values = {(section, name): v for section in LOG_SECTIONS for name, v in _parse_numbers(line.get(section)).items()}
        if "samples_per_second" in line:
            values["speed", "samples/s"] = _parse_number(line["samples_per_second"])
        rows.append(LogRow(samples, _parse_number(line.get("seconds")), values))
    return sorted(rows, key=lambda row: row.samples)


def _read_cards(run: Path) -> list[ScoreCard]:
    """Score cards by samples seen; cards of one checkpoint in the order of the file."""
    cards: list[ScoreCard] = []
    for line in map(_parse_object, _read_text(run / "scores.jsonl").split("\n")):
        samples, scores = _parse_samples(line), _parse_numbers(line.get("scores"))
        if samples is None or not scores:
            continue
        lower_is_better = {
            name: None if v is None else v is not False for name, v in _as_mapping(line.get("lower_is_better")).items()
        }
        floor, protocol = _parse_numbers(line.get("floor")), _as_mapping(line.get("protocol"))
        cautions, remarks = (_parse_texts(line.get(name)) for name in ("cautions", "remarks"))
        baselines = {name: _parse_numbers(values) for name, values in _as_mapping(line.get("baselines")).items()}
        kind = str(line.get("kind", "snapshot"))
        cards.append(ScoreCard(samples, kind, scores, floor, lower_is_better, protocol, cautions, remarks, baselines))
    return sorted(cards, key=lambda card: card.samples)


def thin_rows(rows: Sequence[LogRow], max_rows: int) -> list[LogRow]:
    """At most `max_rows` rows (3 or more): the first, the last, and between them the means of equal stretches."""
    if len(rows) <= max_rows:
        return list(rows)
    inner, buckets = rows[1:-1], max_rows - 2
    edges = [i * len(inner) // buckets for i in range(buckets + 1)]
    return [rows[0], *(_average_rows(inner[a:b]) for a, b in pairwise(edges)), rows[-1]]


def _average_rows(rows: Sequence[LogRow]) -> LogRow:
    """Average rows: each value's mean over the rows in which it is finite."""
    values: dict[tuple[str, str], float | None] = {}
    for name in dict.fromkeys(name for row in rows for name in row.values):
        finite = [v for row in rows if (v := row.values.get(name)) is not None]
        values[name] = sum(v / len(finite) for v in finite) if finite else None
    return LogRow(sum(row.samples for row in rows) // len(rows), rows[-1].seconds, values)


def _build_columns(rows: Sequence[LogRow]) -> dict[str, Any]:
    """{"samples": […], "terms": {"D/r1": […]}, …}, by name, rounded to 5 digits."""
    columns: dict[str, Any] = {"samples": [row.samples for row in rows]} | {s: {} for s in (*LOG_SECTIONS, "speed")}
    for section, name in sorted({key for row in rows for key in row.values}):
        values = (row.values.get((section, name)) for row in rows)
        columns[section][name] = [None if v is None else _parse_number(float(f"{v:.5g}")) for v in values]
    return columns


def _build_score_curves(cards: Sequence[ScoreCard]) -> list[dict[str, Any]]:
    """A chart for each metric with a curve for each protocol, so that no line joins scores of different protocols.

    Later judges score only at the end, which is no curve.
    """
    charts: list[dict[str, Any]] = []
    for metric in dict.fromkeys(name for card in cards for name in card.scores if not get_judge_word(name)):
        groups = _group_by_protocol([card for card in cards if metric in card.scores])
        curves: list[dict[str, Any]] = []
        for group in groups:
            points = {card.samples: card.scores[metric] for card in group}
            name = metric if len(groups) == 1 else _format_difference(group, groups)
            curves.append({"name": name, "x": list(points), "y": list(points.values()), "floor": group[-1].floor.get(metric)})
        is_lower_better = groups[-1][-1].lower_is_better.get(metric, True)
        charts.append(
            {"metric": name_score(metric, groups[-1][-1].protocol), "lower_is_better": is_lower_better, "curves": curves}
        )
    return charts


def _format_difference(group: Sequence[ScoreCard], groups: Sequence[Sequence[ScoreCard]]) -> str:
    """How these cards differ from the other groups: their kind, and the differing parts of their protocol."""
    differing_settings = {k: v for k, v in group[0].protocol.items() if any(other[0].protocol.get(k) != v for other in groups)}
    return f"{' and '.join(dict.fromkeys(card.kind for card in group))}: {_format_protocol(differing_settings)}"


def _group_by_protocol(cards: Sequence[ScoreCard]) -> list[list[ScoreCard]]:
    groups: dict[str, list[ScoreCard]] = {}
    for card in cards:
        groups.setdefault(json.dumps(card.protocol, sort_keys=True), []).append(card)
    return list(groups.values())


def pick_evenly(items: Sequence[T], max_items: int) -> list[T]:
    """At most `max_items` (2 or more) of the items, evenly spaced, with the first and the last."""
    if len(items) <= max_items:
        return list(items)
    return [items[round(i * (len(items) - 1) / (max_items - 1))] for i in range(max_items)]


def _embed_samples(run: Path) -> list[dict[str, Any]]:
    paths = [path for path in (run / "samples").glob("*.png") if re.fullmatch("[0-9]{1,15}", path.stem)]
    paths.sort(key=lambda path: int(path.stem))
    return [picture for path in pick_evenly(paths, MAX_PICTURES) if (picture := embed_picture(path))]


def _render_figures(rows: Sequence[LogRow], cards: Sequence[ScoreCard]) -> str:
    """The key figures under the title."""
    figures = [("Images seen", f"{row.samples:,}", "") for row in rows[-1:]]
    figures += [
        ("Time trained", _format_duration(s), "") for s in [row.seconds for row in rows if row.seconds is not None][-1:]
    ]
    if cards:
        last, best, metric = _find_last_and_best(cards)
        name = name_score(metric, last.protocol)
        for prefix, card in (("Last", last), ("Best", best)):
            figures.append((f"{prefix} {name}", _format_value(card.scores.get(metric)), f"at {card.samples:,} samples"))
        if metric in last.floor:
            figures.append((f"Floor of {name}", _format_value(last.floor[metric]), "the score of real data"))
    cells = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)} <small>{escape(c)}</small></dd></div>" for a, b, c in figures)
    return f'<dl class="figures">{cells}</dl>' if cells else _render_placeholder("Nothing has been logged yet.")


def _render_warning(rows: Sequence[LogRow]) -> str:
    bad_rows = [row for row in rows if None in row.values.values()]
    if not bad_rows:
        return ""
    names = sorted({f"{section} {name}" for row in bad_rows for (section, name), v in row.values.items() if v is None})
    name_list = ", ".join(names[:4]) + (" and others" if len(names) > 4 else "")
    reports = "1 report holds" if len(bad_rows) == 1 else f"{len(bad_rows):,} reports hold"
    where = f"first at {bad_rows[0].samples:,} samples: {escape(name_list)}"
    return f'<p class="warning">{reports} values that are not finite, {where}.</p>'


def _find_last_and_best(cards: Sequence[ScoreCard]) -> tuple[ScoreCard, ScoreCard, str]:
    """(the last card, the best card of its protocol by its first metric, that metric's name)."""
    last = cards[-1]
    metric = next((name for name in last.lower_is_better if name in last.scores), next(iter(last.scores)))
    rivals = [card for card in reversed(cards) if card.protocol == last.protocol and card.scores.get(metric) is not None]
    choose = min if last.lower_is_better.get(metric, True) else max
    return last, choose(rivals, key=lambda card: card.scores[metric] or 0.0, default=last), metric


def _render_score_table(cards: Sequence[ScoreCard]) -> str:
    """A table of the last card, the best card and the floor, with the better value of each row in bold."""
    if not cards:
        return _render_placeholder("No scores yet.")
    last, best, _ = _find_last_and_best(cards)
    columns = [("Last", last), ("Best", best)] if best is not last else [("Last and best", last)]
    heads = "".join(f'<th scope="col">{n}<small>{escape(c.kind)}, {c.samples:,} samples</small></th>' for n, c in columns)
    body, other_heads = "", "".join(f'<th scope="col">{escape(name)}</th>' for name in ("Floor", *last.baselines))
    for metric in last.scores:
        is_lower_better = last.lower_is_better.get(metric, True)
        values = [card.scores.get(metric) for _, card in columns]
        best_value = math.nan
        if is_lower_better is not None:
            best_value = (min if is_lower_better else max)((v for v in values if v is not None), default=math.nan)
        cells = "".join(
            f"<td><b>{_format_value(v)}</b></td>" if v == best_value else f"<td>{_format_value(v)}</td>" for v in values
        )
        others = (last.floor, *last.baselines.values())
        other_cells = "".join(f"<td>{_format_value(card[metric]) if metric in card else '–'}</td>" for card in others)
        hint = {True: "lower is better", False: "higher is better", None: "best as real"}[is_lower_better]
        name = escape(name_score(metric, last.protocol))
        body += f'<tr><th scope="row">{name}<small>{hint}</small></th>{cells}{other_cells}</tr>'
    return (
        f'<div class="wide"><table><thead><tr><th scope="col">Metric</th>{heads}{other_heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
        + "".join(f"<p>{escape(remark)}.</p>" for remark in last.remarks)
        + "".join(f'<p class="quiet">Note: {escape(caution)}.</p>' for caution in last.cautions)
        + f'<p class="quiet">Protocol: {escape(_format_protocol(last.protocol))}. '
        "Floor: the score of real held-out data in the generator's place. Scores of another protocol are not comparable.</p>"
    )


def _format_protocol(protocol: dict[str, Any]) -> str:
    templates = {"extractor": "features of {}", "samples": "{} generated samples", "resize": "resized by {}"}
    templates |= {
        "reference": "compared with {}",
        "held_out": "floor from {}",
        "unseen": "copying from {} that training never saw",
    }
    values = {name: _format_plain(value) for name, value in protocol.items() if value not in (None, "none")}
    phrases = [templates[k].format(v) if k in templates else f"{k.replace('_', ' ')} {v}" for k, v in values.items()]
    return ", ".join(phrases) or "not recorded"


def _render_environment(facts: dict[str, Any]) -> str:
    seed = {"seed": str(facts["seed"])} if "seed" in facts else {}  # as typed, without commas between thousands
    entries = seed | {name: facts[name] for name in ("ganvas", "data", "environment") if name in facts}
    return _render_tree(entries) if entries else _render_placeholder("No recipe.json in the run folder.")


def _render_tree(value: Any) -> str:
    """A value of recipe.json as nested definition lists: a component's class in bold, its fields below."""
    if isinstance(value, dict):
        entries = dict(_as_mapping(value))
        module, _, name = str(entries.pop(TYPE_KEY, "")).rpartition(":")
        head = f'<b title="{escape(module)}">{escape(name)}</b>' if name else ""
        fields = "".join(f"<div><dt>{escape(k)}</dt><dd>{_render_tree(v)}</dd></div>" for k, v in entries.items())
        return head + (f"<dl>{fields}</dl>" if fields else "") or "none"
    entries = cast("list[Any]", value) if isinstance(value, list) else []
    if any(isinstance(v, (dict, list)) for v in entries):
        return "<ul>" + "".join(f"<li>{_render_tree(v)}</li>" for v in entries) + "</ul>"
    return escape(_format_plain(value))


def _format_plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_format_plain, cast("list[Any]", value))) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def _format_value(value: float | None) -> str:
    return "not finite" if value is None else f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def _format_duration(seconds: float) -> str:
    for size, unit, part, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} {seconds % size // part:.0f} {small}"
    return f"{seconds:.0f} s"


def _render_placeholder(message: str) -> str:
    return f'<p class="quiet">{message}</p>'
