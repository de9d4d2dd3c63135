"""A run's page: one self-contained HTML file, made from nothing but the files in the run folder.

It can be written anew at any time, also while the run trains: what is missing is left out, a half-written line is skipped.
Layout, curves and slider are in page.html; here the files are read, thinned and escaped.
"""

import base64
import io
import json
import math
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from PIL import Image

from ..config import TYPE_KEY
from ..errors import GanvasError
from ..evaluation.score_card import called
from ..system.files import explained, write_whole

POINTS = 600  # of a curve
PICTURES = 40
PICTURE_BYTES = 1_500_000  # a larger file is embedded as a smaller JPEG
SECTIONS = ("terms", "seen", "gradient_norm", "lr")
T = TypeVar("T")


class Row(NamedTuple):
    """A line of log.jsonl. `values` by (section, name); None stands for a number that was not finite."""

    images: int
    seconds: float | None
    values: dict[tuple[str, str], float | None]


class Card(NamedTuple):
    """A line of scores.jsonl. Cards may be compared only where their protocols are equal."""

    images: int
    kind: str  # snapshot | final
    scores: dict[str, float | None]
    floor: dict[str, float | None]
    lower_is_better: dict[str, bool]
    protocol: dict[str, Any]


def write_report(run: Path) -> Path:
    """Write RUN/report.html from the files in the run folder and return its path; the page is replaced whole, or not at all.

    Raises:
        GanvasError: `run` is no folder, or cannot be written to.
    """
    if not run.is_dir():
        raise GanvasError(f"{run} is not a run folder: give the folder that ganvas train wrote to")
    page, text = run / "report.html", _page(run)
    with explained("writing the report", run):
        write_whole(page, lambda partial: partial.write_text(text, encoding="utf-8", errors="replace", newline="\n"))
    return page


def _page(run: Path) -> str:
    facts, rows, cards = _object(_text(run / "recipe.json")), _rows(run), _cards(run)
    data = {"log": _columns(thin(rows, POINTS)), "scores": _score_curves(cards), "samples": _samples(run)}
    parts = {
        "title": escape(str(facts.get("name") or run.resolve().name)),
        "subtitle": escape(str(_mapping(facts.get("data")).get("title", ""))),
        "figures": _figures(rows, cards),
        "warning": _warning(rows),
        "nearest": _picture(
            run / "nearest.png", "Samples, and below each the nearest of training", "Drawn when training ends."
        ),
        "classes": _picture(
            run / "classes.png", "Samples, a row a class", "Drawn when training ends, where samples have classes."
        ),
        "reconstructions": _picture(
            run / "reconstructions.png",
            "Samples, and below each what is made of it",
            "Drawn when training ends, of autoencoders.",
        ),
        "scores": _score_table(cards),
        "recipe": _tree(facts["recipe"]) if "recipe" in facts else _nothing("No recipe.json in the run folder."),
        "environment": _environment(facts),
        "data": json.dumps(data, allow_nan=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
    }
    template = files("ganvas.report").joinpath("page.html").read_text(encoding="utf-8")
    # One pass, so that a marker inside a value stays the text it is.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], template)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _object(text: str) -> dict[str, Any]:
    """The JSON object in a file or on a line; {} where there is none, or only half of one."""
    try:
        return _mapping(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _number(value: Any) -> float | None:
    """A finite float, or None: for null, for "NaN", and for whatever else is no number."""
    try:
        number = float(value) if isinstance(value, (int, float)) else math.nan
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _numbers(value: Any) -> dict[str, float | None]:
    return {name: _number(v) for name, v in _mapping(value).items()}


def _images(line: dict[str, Any]) -> int | None:
    images = _number(line.get("images"))
    return int(images) if images is not None and 0 <= images < 1e15 else None


def _rows(run: Path) -> list[Row]:
    rows: list[Row] = []
    for line in map(_object, _text(run / "log.jsonl").split("\n")):
        images = _images(line)
        if images is None:
            continue
        values = {(section, name): v for section in SECTIONS for name, v in _numbers(line.get(section)).items()}
        if "images_per_second" in line:
            values["speed", "images/s"] = _number(line["images_per_second"])
        rows.append(Row(images, _number(line.get("seconds")), values))
    return sorted(rows, key=lambda row: row.images)


def _cards(run: Path) -> list[Card]:
    """Score cards by images seen; those of one checkpoint in the order they were written."""
    cards: list[Card] = []
    for line in map(_object, _text(run / "scores.jsonl").split("\n")):
        images, scores = _images(line), _numbers(line.get("scores"))
        if images is None or not scores:
            continue
        lower = {name: v is not False for name, v in _mapping(line.get("lower_is_better")).items()}
        floor, protocol = _numbers(line.get("floor")), _mapping(line.get("protocol"))
        cards.append(Card(images, str(line.get("kind", "snapshot")), scores, floor, lower, protocol))
    return sorted(cards, key=lambda card: card.images)


def thin(rows: Sequence[Row], most: int) -> list[Row]:
    """At most `most` rows (3 or more): the first and the last as they are, means of equal stretches between them."""
    if len(rows) <= most:
        return list(rows)
    inner, buckets = rows[1:-1], most - 2
    edges = [i * len(inner) // buckets for i in range(buckets + 1)]
    return [rows[0], *(_mean(inner[a:b]) for a, b in pairwise(edges)), rows[-1]]


def _mean(rows: Sequence[Row]) -> Row:
    """One row for several: each value's mean over the rows in which it is finite."""
    values: dict[tuple[str, str], float | None] = {}
    for name in dict.fromkeys(name for row in rows for name in row.values):
        finite = [v for row in rows if (v := row.values.get(name)) is not None]
        values[name] = sum(v / len(finite) for v in finite) if finite else None
    return Row(sum(row.images for row in rows) // len(rows), rows[-1].seconds, values)


def _columns(rows: Sequence[Row]) -> dict[str, Any]:
    """{"images": […], "terms": {"D/r1": […]}, …}, by name, rounded to what an eye can tell apart."""
    columns: dict[str, Any] = {"images": [row.images for row in rows]} | {s: {} for s in (*SECTIONS, "speed")}
    for section, name in sorted({key for row in rows for key in row.values}):
        values = (row.values.get((section, name)) for row in rows)
        columns[section][name] = [None if v is None else _number(float(f"{v:.5g}")) for v in values]
    return columns


def _score_curves(cards: Sequence[Card]) -> list[dict[str, Any]]:
    """A chart a metric, in it a curve a protocol: scores of different protocols are never joined by a line."""
    charts: list[dict[str, Any]] = []
    for metric in dict.fromkeys(name for card in cards for name in card.scores):
        groups = _by_protocol([card for card in cards if metric in card.scores])
        curves: list[dict[str, Any]] = []
        for group in groups:
            points = {card.images: card.scores[metric] for card in group}
            name = metric if len(groups) == 1 else _difference(group, groups)
            curves.append({"name": name, "x": list(points), "y": list(points.values()), "floor": group[-1].floor.get(metric)})
        lower = groups[-1][-1].lower_is_better.get(metric, True)
        charts.append({"metric": called(metric, groups[-1][-1].protocol), "lower_is_better": lower, "curves": curves})
    return charts


def _difference(group: Sequence[Card], groups: Sequence[Sequence[Card]]) -> str:
    """What sets these cards apart from the other groups: their kind, and where their protocol differs."""
    own = {k: v for k, v in group[0].protocol.items() if any(other[0].protocol.get(k) != v for other in groups)}
    return f"{' and '.join(dict.fromkeys(card.kind for card in group))}: {_in_words(own)}"


def _by_protocol(cards: Sequence[Card]) -> list[list[Card]]:
    groups: dict[str, list[Card]] = {}
    for card in cards:
        groups.setdefault(json.dumps(card.protocol, sort_keys=True), []).append(card)
    return list(groups.values())


def evenly(items: Sequence[T], most: int) -> list[T]:
    """At most `most` (2 or more) of the items, evenly spaced, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(i * (len(items) - 1) / (most - 1))] for i in range(most)]


def _samples(run: Path) -> list[dict[str, Any]]:
    pictures = [path for path in (run / "samples").glob("*.png") if re.fullmatch("[0-9]{1,15}", path.stem)]
    pictures.sort(key=lambda path: int(path.stem))
    return [found for path in evenly(pictures, PICTURES) if (found := _embed(path))]


def _picture(path: Path, alt: str, missing: str) -> str:
    found = _embed(path)
    if found is None:
        return _nothing(missing)
    return f'<img src="{found["uri"]}" width="{found["width"]}" height="{found["height"]}" alt="{alt}">'


def _embed(path: Path) -> dict[str, Any] | None:
    """A picture as {"images", "width", "height", "uri"}; None where the file is no whole picture."""
    try:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            width, height = picture.size
            picture.verify()
        kind, data = ("png", data) if len(data) <= PICTURE_BYTES else ("jpeg", _shrink(data))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    uri = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return {"images": int(path.stem) if path.stem.isdigit() else 0, "width": width, "height": height, "uri": uri}


def _shrink(data: bytes) -> bytes:
    """A JPEG of at most PICTURE_BYTES: what outgrows that as a PNG is a large photograph, which loses little."""
    with Image.open(io.BytesIO(data)) as opened:
        picture = opened.convert("RGB")
    side, written = 1600, io.BytesIO(data)
    while written.getbuffer().nbytes > PICTURE_BYTES:
        picture.thumbnail((side, side))
        picture.save(written := io.BytesIO(), "JPEG", quality=88)
        side = side * 3 // 4
    return written.getvalue()


def _figures(rows: Sequence[Row], cards: Sequence[Card]) -> str:
    """The handful of numbers under the title."""
    figures = [("Images seen", f"{row.images:,}", "") for row in rows[-1:]]
    figures += [("Time trained", _duration(s), "") for s in [row.seconds for row in rows if row.seconds is not None][-1:]]
    if cards:
        last, best, metric = _last_and_best(cards)
        name = called(metric, last.protocol)
        for which, card in (("Last", last), ("Best", best)):
            figures.append((f"{which} {name}", _value(card.scores.get(metric)), f"at {card.images:,} images"))
        if metric in last.floor:
            figures.append((f"Floor of {name}", _value(last.floor[metric]), "what real data score"))
    cells = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)} <small>{escape(c)}</small></dd></div>" for a, b, c in figures)
    return f'<dl class="figures">{cells}</dl>' if cells else _nothing("Nothing has been logged yet.")


def _warning(rows: Sequence[Row]) -> str:
    bad = [row for row in rows if None in row.values.values()]
    if not bad:
        return ""
    names = sorted({f"{section} {name}" for row in bad for (section, name), v in row.values.items() if v is None})
    named = ", ".join(names[:4]) + (" and others" if len(names) > 4 else "")
    reports = "1 report holds" if len(bad) == 1 else f"{len(bad):,} reports hold"
    return f'<p class="warning">{reports} values that are not finite, first at {bad[0].images:,} images: {escape(named)}.</p>'


def _last_and_best(cards: Sequence[Card]) -> tuple[Card, Card, str]:
    """The last card, the best of its protocol by its first metric, and that metric's name."""
    last = cards[-1]
    metric = next((name for name in last.lower_is_better if name in last.scores), next(iter(last.scores)))
    rivals = [card for card in reversed(cards) if card.protocol == last.protocol and card.scores.get(metric) is not None]
    choose = min if last.lower_is_better.get(metric, True) else max
    return last, choose(rivals, key=lambda card: card.scores[metric] or 0.0, default=last), metric


def _score_table(cards: Sequence[Card]) -> str:
    """Last and best side by side with the floor; the better value of a row in bold."""
    if not cards:
        return _nothing("No scores yet.")
    last, best, _ = _last_and_best(cards)
    shown = [("Last", last), ("Best", best)] if best is not last else [("Last and best", last)]
    heads = "".join(f'<th scope="col">{n}<small>{escape(c.kind)}, {c.images:,} images</small></th>' for n, c in shown)
    body = ""
    for metric in last.scores:
        lower = last.lower_is_better.get(metric, True)
        values = [card.scores.get(metric) for _, card in shown]
        top = (min if lower else max)((v for v in values if v is not None), default=math.nan)
        cells = "".join(f"<td><b>{_value(v)}</b></td>" if v == top else f"<td>{_value(v)}</td>" for v in values)
        floor = _value(last.floor[metric]) if metric in last.floor else "–"
        hint = "lower is better" if lower else "higher is better"
        name = escape(called(metric, last.protocol))
        body += f'<tr><th scope="row">{name}<small>{hint}</small></th>{cells}<td>{floor}</td></tr>'
    return (
        f'<div class="wide"><table><thead><tr><th scope="col">Metric</th>{heads}<th scope="col">Floor</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
        f'<p class="quiet">Protocol: {escape(_in_words(last.protocol))}. '
        "Floor: what real held-out data score in the generator's place. Scores of another protocol are not comparable.</p>"
    )


def _in_words(protocol: dict[str, Any]) -> str:
    words = {"extractor": "features of {}", "samples": "{} generated samples", "resize": "resized by {}"}
    words |= {"reference": "compared with {}", "held_out": "floor from {}"}
    told = {name: _plain(value) for name, value in protocol.items() if value not in (None, "none")}
    said = [words[k].format(v) if k in words else f"{k.replace('_', ' ')} {v}" for k, v in told.items()]
    return ", ".join(said) or "not recorded"


def _environment(facts: dict[str, Any]) -> str:
    seed = {"seed": str(facts["seed"])} if "seed" in facts else {}  # as it is typed, without thousands' commas
    told = seed | {name: facts[name] for name in ("ganvas", "data", "environment") if name in facts}
    return _tree(told) if told else _nothing("No recipe.json in the run folder.")


def _tree(value: Any) -> str:
    """A value of recipe.json as nested definition lists: a component's class in bold, its fields beneath."""
    if isinstance(value, dict):
        entries = dict(_mapping(value))
        module, _, name = str(entries.pop(TYPE_KEY, "")).rpartition(":")
        head = f'<b title="{escape(module)}">{escape(name)}</b>' if name else ""
        fields = "".join(f"<div><dt>{escape(k)}</dt><dd>{_tree(v)}</dd></div>" for k, v in entries.items())
        return head + (f"<dl>{fields}</dl>" if fields else "") or "none"
    entries = cast("list[Any]", value) if isinstance(value, list) else []
    if any(isinstance(v, (dict, list)) for v in entries):
        return "<ul>" + "".join(f"<li>{_tree(v)}</li>" for v in entries) + "</ul>"
    return escape(_plain(value))


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, cast("list[Any]", value))) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def _value(value: float | None) -> str:
    return "not finite" if value is None else f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def _duration(seconds: float) -> str:
    for size, unit, part, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit} {seconds % size // part:.0f} {small}"
    return f"{seconds:.0f} s"


def _nothing(said: str) -> str:
    return f'<p class="quiet">{said}</p>'
