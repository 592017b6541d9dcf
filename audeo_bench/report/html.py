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
from audeo_bench.paper.reported import GROUPS, Paper, Table1Row
from audeo_bench.records import Identification, Row
from audeo_bench.report.markdown import PROVENANCE_NOTES, environment
from audeo_bench.score import MAIN, frame_sums, mean_note_f1, measures_of, percents
from audeo_bench.score.frames import AVERAGES, KEY_RANGES, METRICS

Numbers = list[float | None]
"""Precision, recall, accuracy, F1, interval low and high, in percent, rounded as far as anyone sees."""

_LABELS = {
    "frame_mean": "mean of frames",
    "micro": "all cells pooled",
    "51": "the paper’s 51",
    "88": "all 88",
}
_COLUMNS = (
    ("rank", "Rank", "ascending", "num"),
    ("name", "Contestant", "ascending", ""),
    ("f1", "F1 %", "descending", "f1"),
    ("precision", "Precision", "descending", "num"),
    ("recall", "Recall", "descending", "num"),
    ("accuracy", "Accuracy", "descending", "num"),
    ("onset", "Onset F1", "descending", "num"),
    ("paper", "Paper’s F1", "descending", "num"),
    ("parameters", "Parameters", "ascending", "num"),
)


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
        boards=[_board(board, paper, folder) for board in boards],
        table2=_table2(paper),
        identifications=identifications,
        groups=GROUPS,
        reported2={row.system: row for row in paper.table2.rows},
        notes=PROVENANCE_NOTES,
        own=own,
    )


def breakable(name: str) -> list[str]:
    """A name in the parts between which a line may break: after ``+``, ``_``, ``-``, ``.`` and ``@``."""
    return re.split(r"(?<=[+_.@-])", name)


def _json(content: Any) -> Markup:
    """JSON that may stand inside <script>: no ``<``, ``>``, ``&`` or ``'`` is left in it."""
    return htmlsafe_json_dumps(content, separators=(",", ":"), ensure_ascii=False)


def _board(board: Board, paper: Paper, folder: Path) -> dict[str, Any]:
    rows = [entry.row for entry in board.entries]
    reported = paper.table1.rows if board.subject.split == "wtc2" else ()
    numbers = [_numbers(row) for row in rows]
    scores = [each[""] for each in numbers]
    low, high = _axis([score[str(MAIN)] for score in scores], reported)

    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    ranks = [entry.rank for entry in board.entries]
    views = [
        _row(
            entry,
            score[str(MAIN)],
            paper.table1.row(entry.row.contestant, MAIN.threshold) if reported else None,
            place,
            ranks.count(entry.rank) > 1,
        )
        for entry, score in zip(board.entries, scores, strict=True)
    ]
    subject = board.subject
    return {
        "id": board.name,
        "title": f"{subject.corpus} · {subject.split}"
        + (f" · corpus seed {subject.seed}" if subject.seed else ""),
        "provenance": subject.provenance,
        "provenance_note": PROVENANCE_NOTES[str(subject.provenance)],
        "facts": board.facts(),
        "selects": _selects(board),
        "columns": [
            {
                "key": key,
                "title": title,
                "first": first,
                "classes": classes,
                "sort": "ascending" if key == "rank" else "none",
            }
            for key, title, first, classes in _COLUMNS
        ],
        "rows": views,
        "reported": [
            {"cell": cell, "title": f"{cell.label} at {cell.threshold:g}", "place": place(cell.f1)}
            for cell in reported
        ],
        "axis": {"low": f"{low:g}", "high": f"{high:g}"},
        "data": _json(_data(board, views, scores, (low, high), folder)),
        "details": [_json(_detail(row, each, folder)) for row, each in zip(rows, numbers, strict=True)],
    }


def _row(
    entry: Entry, numbers: Numbers, paper: Table1Row | None, place: Callable[[float], float], shared: bool
) -> dict[str, Any]:
    row = entry.row
    precision, recall, accuracy, f1, low, high = numbers
    assert f1 is not None
    marks = [{"short": mark.partition(":")[0], "long": mark} for mark in row.marks]
    if row.answered_by == "files":
        marks.append(
            {"short": "answers only", "long": "rolls handed in as files; the harness never ran the model"}
        )
    words = [
        row.contestant,
        *(mark["long"] for mark in marks),
        *row.trained_on,
        *(mark["short"] for mark in marks),
    ]
    return {
        "rank": entry.rank,
        "shared": shared,
        "name": row.contestant,
        "search": " ".join(words).lower(),
        "verified": entry.verified,
        "marks": marks,
        "score": {
            "precision": precision,
            "recall": recall,
            "accuracy": accuracy,
            "f1": f1,
            "low": low,
            "high": high,
        },
        "bar": {
            "mid": place(f1),
            "low": place(f1 if low is None else low),
            "high": place(f1 if high is None else high),
            "paper": place(paper.f1) if paper else None,
        },
        "onset": mean_note_f1(row.scores, "onset@50"),
        "paper": paper.f1 if paper else None,
        "difference": f1 - paper.f1 if paper else None,
        "parameters": row.parameters,
        "speed": row.times.frames_per_second,
        "links": _links(row),
    }


def _links(row: Row) -> list[tuple[str, str]]:
    credit = row.credit
    found = () if credit is None else (("paper", credit.paper), ("code", credit.code))
    return [(title, str(address)) for title, address in found if address]


def _numbers(row: Row) -> dict[str, dict[str, Numbers]]:
    """Every metric over all the row's recordings (under ``""``, with intervals) and over each; by recording,
    then metric.
    """
    found: dict[str, dict[str, Numbers]] = {name: {} for name in ("", *row.answers)}
    for measure in measures_of(row.scores):
        sums = frame_sums(row.scores, measure.keys)
        for name, numbers in found.items():
            values = percents({name: sums[name]} if name else sums, measure)
            ends = () if name else row.intervals.f1.get(str(measure), (None, None))
            each = (*(values[part] for part in METRICS), *ends)
            numbers[str(measure)] = [None if value is None else round(value, 6) for value in each]
    return found


def _data(
    board: Board,
    views: list[dict[str, Any]],
    scores: list[dict[str, Numbers]],
    axis: tuple[float, float],
    folder: Path,
) -> dict[str, Any]:
    """What sorting and switching need of all rows at once."""
    names = sorted({name for numbers in scores for name in numbers})
    truths = {
        f"{name}/{record.excerpt.start}": {
            "frames": record.excerpt.frames,
            "runs": record.excerpt.truth,
            "film": _embedded(folder / board.name / "film" / f"{name}.jpg", "image/jpeg"),
        }
        for entry in board.entries
        for name, record in entry.row.answers.items()
        if record.excerpt
    }
    by_metric = {name: [numbers.get(name) for numbers in scores] for name in names}
    return {
        "main": str(MAIN),
        "axes": {name: _axis(values, ()) for name, values in by_metric.items()} | {str(MAIN): axis},
        "keys": {
            key: [view[key] for view in views]
            for key in ("rank", "name", "onset", "paper", "parameters", "speed")
        },
        "scores": by_metric,
        "truths": truths,
        "filmStep": FILM_STEP,
    }


def _detail(row: Row, numbers: dict[str, dict[str, Numbers]], folder: Path) -> dict[str, Any]:
    speed = row.times.frames_per_second
    facts = [
        *((("Authors", row.credit.authors),) if row.credit and row.credit.authors else ()),
        ("Trained on", ", ".join(row.trained_on) or "nothing"),
        *(("Mark", mark) for mark in row.marks),
        *((f"{stage.name}: SHA-256", stage.sha256 or "not handed in") for stage in row.stages),
        *(
            (f"{stage.name}: weights SHA-256", stage.weights_sha256)
            for stage in row.stages
            if stage.weights_sha256
        ),
        *(
            (f"{stage.name}: {key}", str(value))
            for stage in row.stages
            for key, value in stage.configuration.items()
        ),
        ("Speed", f"{speed:g} frames a second" if speed else "not measured"),
        ("Command", row.origin.command),
        ("Submitted", row.times.submitted),
    ]
    recordings = {
        name: {
            "title": answer.title,
            "frames": answer.frames,
            "scores": numbers[name],
            "excerpt": answer.excerpt and {"start": answer.excerpt.start, "answer": answer.excerpt.answer},
            "audio": _audio(folder, row, name),
        }
        for name, answer in row.answers.items()
    }
    return {"facts": facts, "recordings": recordings}


def _audio(folder: Path, row: Row, recording: str) -> list[tuple[str, str]]:
    places = {"answer, on a piano": file_name(row.contestant), "truth, on a piano": TRUTH}
    sounds = folder / row.board / "audio"
    found = {
        title: _embedded(sounds / place / f"{recording}.ogg", "audio/ogg") for title, place in places.items()
    }
    return [(title, source) for title, source in found.items() if source]


def _embedded(path: Path, kind: str) -> str | None:
    """A file as an address that needs no other file; None where there is none."""
    if not path.is_file():
        return None
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def _selects(board: Board) -> list[dict[str, Any]]:
    choices = (
        ("Average", MAIN.average, AVERAGES),
        ("Keys", MAIN.keys, KEY_RANGES),
        ("Threshold", f"{MAIN.threshold:g}", [f"{threshold:g}" for threshold in board.thresholds()]),
    )
    return [
        {
            "label": label,
            "options": [{"value": v, "text": _LABELS.get(v, v), "chosen": v == chosen} for v in values],
        }
        for label, chosen, values in choices
    ]


def _axis(values: Sequence[Numbers | None], reported: Sequence[Table1Row]) -> tuple[float, float]:
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
