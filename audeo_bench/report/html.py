"""One self-contained HTML page of all boards: inline style and script, nothing fetched, made by jinja2."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from audeo_bench.files import file_name
from audeo_bench.leaderboards.audio import FILM_STEP, TRUTH
from audeo_bench.leaderboards.boards import Board, Entry
from audeo_bench.leaderboards.crossing import crossed
from audeo_bench.leaderboards.trainings import untrained_name
from audeo_bench.paper.reported import GROUPS, Paper, Table1Row
from audeo_bench.provenance import machine
from audeo_bench.records import Identification, Row
from audeo_bench.report.markdown import (
    COST_NOTE,
    PROVENANCE_NOTES,
    TIES_NOTE,
    environment,
    letters,
    over_seeds,
    training,
    verified,
)
from audeo_bench.score import MAIN, Measure, measures_of, percents
from audeo_bench.score.frames import AVERAGES, KEY_RANGES
from audeo_bench.score.measure import PAPER_SPLIT
from audeo_bench.score.notes import SHOWN_NOTES
from audeo_bench.version import __version__

Values = list[float | None]
"""Precision, recall, accuracy, F1, interval low and high, in percent, rounded as far as anyone sees."""

COSTS = ("CPU-seconds", "GPU-seconds")
"""What trainings are counted in."""
_LABELS = {
    "frame_mean": "mean of frames",
    "micro": "all cells pooled",
    "51": "the paper’s 51",
    "88": "all 88",
}
_NOTES = {"onset@50": "Onset 50 ms", "onset@100": "Onset 100 ms", "full@50": "With offset"}


def _columns(board: Board, paper: bool) -> list[dict[str, str]]:
    shown = [
        ("rank", "Rank", "ascending", "num"),
        ("ties", "Ties", "ascending", "ties"),
        ("name", "Contestant", "ascending", ""),
        ("f1", "F1 %", "descending", "f1"),
        ("precision", "Precision", "descending", "num"),
        ("recall", "Recall", "descending", "num"),
        ("accuracy", "Accuracy", "descending", "num"),
        ("beside", str(board.beside), "descending", "num"),
        *((name, _NOTES[name], "descending", "num") for name in SHOWN_NOTES),
        *([("paper", "Paper’s F1", "descending", "num")] if paper else []),
        ("parameters", "Parameters", "ascending", "num"),
        ("seconds_a_minute", "s/min of film", "ascending", "num"),
        ("hardware", "Hardware", "ascending", "hardware"),
        ("training", "Training", "ascending", "hardware"),
    ]
    return [
        {
            "key": key,
            "title": title,
            "first": first,
            "classes": classes,
            "sort": "ascending" if key == "rank" else "none",
        }
        for key, title, first, classes in shown
    ]


def render_page(
    boards: Sequence[Board],
    identifications: Sequence[Identification],
    paper: Paper,
    folder: Path,
    own: bool = False,
) -> str:
    """The page as text.

    Parameters
    ----------
    boards : sequence of Board
    identifications : sequence of Identification
        Table 2, reproduced.
    paper : Paper
        The reported cells: Table 1's stand in a part of their own below each board of the paper's test split,
        Table 2's in a table of their own.
    folder : Path
        ``leaderboards/``; an excerpt's sound is embedded where ``<board>/audio/<contestant>/<recording>.ogg``
        exists, the truth's from ``<board>/audio/truth/``, its pictures from ``<board>/film/<recording>.jpg``.
    own : bool
        A page of somebody's own runs instead of the boards: no word of verifying, nothing of Table 2, the
        first two runs open.
    """
    # Style and script are the package's own text, standing inside <style> and <script>.
    pages = environment(html=True)
    pages.filters["breakable"] = breakable
    return pages.get_template("page.html.jinja").render(
        boards=[_board(board, paper, folder, own) for board in boards],
        table2=_table2(paper),
        identifications=identifications,
        groups=GROUPS,
        reported2={row.system: row for row in paper.table2.rows},
        notes=PROVENANCE_NOTES,
        cost_note=COST_NOTE,
        ties_note=TIES_NOTE,
        version=__version__,
        crossed=crossed([] if own else boards),
        own=own,
    )


def breakable(name: str) -> list[str]:
    """A name in the parts between which a line may break: after ``+``, ``_``, ``-``, ``.`` and ``@``."""
    return re.split(r"(?<=[+_.@-])", name)


def _json(content: Any) -> Markup:
    """JSON that may stand inside <script>: no ``<``, ``>``, ``&`` or ``'`` is left in it. Numbers have six
    decimals: the last of all sixteen differ between versions of the libraries.
    """
    return htmlsafe_json_dumps(_decimals(content), separators=(",", ":"), ensure_ascii=False)


def _decimals(content: Any) -> Any:
    if isinstance(content, float):
        return round(content, 6)
    if isinstance(content, dict):
        return {name: _decimals(value) for name, value in content.items()}
    return [_decimals(value) for value in content] if isinstance(content, list | tuple) else content


def _board(board: Board, paper: Paper, folder: Path, own: bool) -> dict[str, Any]:
    subject, main = board.subject, str(board.measure)
    reported = paper.table1.rows if subject.split == PAPER_SPLIT else ()
    scores = [_scores(entry) for entry in board.entries]
    low, high = _axis([each[main] for each in scores], reported)

    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    views = [
        _line(
            board,
            entry,
            paper.table1.row(untrained_name(entry.name), MAIN.threshold) if reported else None,
            place,
        )
        for entry in board.entries
    ]
    return {
        "id": board.name,
        "title": f"{subject.corpus} · {subject.split}"
        + (f" · corpus seed {subject.seed}" if subject.seed else ""),
        "provenance": subject.provenance,
        "provenance_note": PROVENANCE_NOTES[str(subject.provenance)],
        "facts": board.facts(),
        "measure": main,
        "reading": board.reading(),
        "unit": board.standing.unit,
        "selects": _selects(board),
        "columns": _columns(board, bool(reported)),
        "rows": views,
        "reported": [
            {"cell": cell, "title": f"{cell.label} at {cell.threshold:g}", "place": place(cell.f1)}
            for cell in reported
        ],
        "axis": {"low": f"{low:g}", "high": f"{high:g}"},
        "data": _json(_data(board, views, scores, (low, high), folder)),
        "details": [_json(_detail(entry, folder, own)) for entry in board.entries],
    }


def _line(
    board: Board, entry: Entry, paper: Table1Row | None, place: Callable[[float], float]
) -> dict[str, Any]:
    found = entry.numbers(board.measure)
    f1 = found.values["f1"]
    marks = [{"short": mark.partition(":")[0], "long": mark} for mark in entry.marks]
    words = [entry.name, entry.trained_on, *entry.marks]
    linked = list(dict.fromkeys(link for row in entry.rows for link in _links(row)))
    trained_by, amount = entry.rows[0].training_cost or (None, None)
    return {
        "entry": entry,
        "rank": entry.rank,
        "ties": letters(entry.ties),
        "trained_on": entry.trained_on,
        "name": entry.name,
        "search": " ".join(words).lower(),
        "seeds": over_seeds(found) if len(found.seeds) > 1 else None,
        "beats": f"shown to be better than {len(entry.beats)} of {len(board.entries) - 1}",
        "all_verified": all(entry.verified),
        "verified": verified(entry),
        "tags": marks,
        "marks": "; ".join(entry.marks),
        "score": {**found.values, "low": found.low, "high": found.high},
        "bar": {
            "mid": place(f1),
            "low": place(f1 if found.low is None else found.low),
            "high": place(f1 if found.high is None else found.high),
            "paper": place(paper.f1) if paper else None,
        },
        "beside": entry.numbers(board.beside).values["f1"],
        "notes": {name: entry.note_f1(name, board.measure.threshold) for name in SHOWN_NOTES},
        "paper": paper.f1 if paper else None,
        "difference": f1 - paper.f1 if paper else None,
        "parameters": entry.rows[0].parameters,
        "seconds_a_minute": entry.rows[0].seconds_a_minute,
        "hardware": machine(entry.rows[0].origin.hardware) or None,
        "speed": entry.rows[0].times.frames_per_second,
        "training": training(entry.rows[0]),
        "training_hardware": entry.rows[0].training_hardware or None,
        **{unit: amount if unit == trained_by else None for unit in COSTS},
        "linked": linked,
        "links": " ".join(address for _, address in linked),
    }


def _links(row: Row) -> list[tuple[str, str]]:
    credit = row.credit
    found = () if credit is None else (("paper", credit.paper), ("code", credit.code))
    return [(title, str(address)) for title, address in found if address]


def _scores(entry: Entry) -> dict[str, Values]:
    """Every metric over all recordings, with its interval."""
    found = {}
    for measure in _measures(entry):
        numbers = entry.numbers(measure)
        found[str(measure)] = [*numbers.values.values(), numbers.low, numbers.high]
    return found


def _measures(entry: Entry) -> list[Measure]:
    """What all rows of a line were scored by."""
    shared = set.intersection(*(set(row.scores.thresholds) for row in entry.rows))
    return [measure for measure in measures_of(entry.rows[0].scores) if measure.threshold in shared]


def _data(
    board: Board,
    views: list[dict[str, Any]],
    scores: list[dict[str, Values]],
    axis: tuple[float, float],
    folder: Path,
) -> dict[str, Any]:
    """What sorting and switching need of all lines at once."""
    names = sorted({name for numbers in scores for name in numbers})
    truths = {
        f"{name}/{record.excerpt.start}": {
            "frames": record.excerpt.frames,
            "runs": record.excerpt.truth,
            "film": _embedded(folder / board.name / "film" / f"{name}.jpg", "image/jpeg"),
            "audio": _sound(folder, board.name, TRUTH, name),
        }
        for entry in board.entries
        for name, record in entry.rows[0].answers.items()
        if record.excerpt
    }
    by_metric = {name: [numbers.get(name) for numbers in scores] for name in names}
    main = str(board.measure)
    keys = {
        key: [view[key] for view in views]
        for key in (
            "rank",
            "name",
            "beside",
            "paper",
            "parameters",
            "seconds_a_minute",
            "hardware",
            "speed",
            *COSTS,
            *("training_hardware", "ties", "trained_on", "marks", "verified", "links"),
        )
    }
    return {
        "main": main,
        "axes": {name: _axis(values, ()) for name, values in by_metric.items()} | {main: axis},
        "keys": keys | {name: [view["notes"][name] for view in views] for name in SHOWN_NOTES},
        "scores": by_metric,
        "truths": truths,
        "filmStep": FILM_STEP,
    }


def _detail(entry: Entry, folder: Path, own: bool) -> dict[str, Any]:
    """Where a line comes from, seed by seed, and its recordings; pictures and sound are the first seed's."""
    first = entry.rows[0]
    authors = dict.fromkeys(row.credit.authors for row in entry.rows if row.credit and row.credit.authors)
    facts = [
        *(("Authors", each) for each in authors),
        ("Trained on", entry.trained_on),
        *(("Mark", mark) for mark in entry.marks),
    ]
    for row in entry.rows:
        of = "" if len(entry.rows) == 1 else f" ({row.contestant})"
        facts += [(title + of, text) for title, text in _facts(row, own)]
    recordings = {
        name: {
            "title": answer.title,
            "frames": answer.frames,
            "scores": _recording_scores(entry, name),
            "excerpt": answer.excerpt and {"start": answer.excerpt.start, "answer": answer.excerpt.answer},
            "audio": _sound(folder, first.board, file_name(first.contestant), name),
        }
        for name, answer in first.answers.items()
    }
    return {"facts": facts, "recordings": recordings}


def _facts(row: Row, own: bool) -> list[tuple[str, str]]:
    speed = row.times.frames_per_second
    came = "Answered" if row.answered_by == "harness" else "Joined"
    dated = (came, row.times.started or "") if own else ("Submitted", row.times.submitted)
    facts = []
    for stage in row.stages:
        facts.append((f"{stage.name}: SHA-256", stage.sha256 or "not handed in"))
        if stage.weights_sha256:
            facts.append((f"{stage.name}: weights SHA-256", stage.weights_sha256))
        if stage.training_seed is not None:
            facts.append((f"{stage.name}: training seed", str(stage.training_seed)))
        if stage.training is not None:
            where = stage.training.hardware.get("accelerator") or stage.training.hardware.get("processor")
            words = f"{stage.training.cost:,.0f} {stage.training.unit}" + (f" on {where}" if where else "")
            facts.append((f"{stage.name}: training", words))
        facts += [(f"{stage.name}: {key}", str(value)) for key, value in stage.configuration.items()]
    return [
        *facts,
        ("Speed", f"{speed:g} frames a second" if speed else "not measured"),
        ("Command", row.origin.command),
        dated,
    ]


def _recording_scores(entry: Entry, recording: str) -> dict[str, Values]:
    """Every metric in one recording, means over training seeds."""
    found = {}
    for measure in _measures(entry):
        each = [
            list(percents({recording: sums[recording]}, measure).values())
            for sums in entry.sums[measure.keys]
        ]
        found[str(measure)] = [sum(values) / len(values) for values in zip(*each, strict=True)]
    return found


def _sound(folder: Path, board: str, whose: str, recording: str) -> str | None:
    return _embedded(folder / board / "audio" / whose / f"{recording}.ogg", "audio/ogg")


def _embedded(path: Path, kind: str) -> str | None:
    """A file as an address that needs no other file; None where there is none."""
    if not path.is_file():
        return None
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _selects(board: Board) -> list[dict[str, Any]]:
    choices = (
        ("Average", board.measure.average, AVERAGES),
        ("Keys", board.measure.keys, KEY_RANGES),
        ("Threshold", f"{board.measure.threshold:g}", [f"{threshold:g}" for threshold in board.thresholds()]),
    )
    return [
        {
            "label": label,
            "options": [{"value": v, "text": _LABELS.get(v, v), "chosen": v == chosen} for v in values],
        }
        for label, chosen, values in choices
    ]


def _axis(values: Sequence[Values | None], reported: Sequence[Table1Row]) -> tuple[float, float]:
    """Bounds in steps of five around every F1, its interval and the reported cells."""
    ends = [value for each in values if each for value in each[3:] if value is not None]
    ends += [cell.f1 for cell in reported]
    return max(0.0, 5 * (min(ends) // 5)), min(100.0, 5 * (max(ends) // 5 + 1))


def _table2(paper: Paper) -> dict[str, Any]:
    return {
        "title": "Table 2: music identification, as reported",
        "table": paper.table2,
        "marked": [row for row in paper.table2.rows if row.note],
    }
