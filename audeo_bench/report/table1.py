"""Table 1 and what stands around it, on the terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from audeo_bench.paper.table1 import TableRow, View, recording_values, rows
from audeo_bench.report.numbers import percent
from audeo_bench.report.sheet import Sheet
from audeo_bench.report.terminal import beside_paper, part, table
from audeo_bench.runs.scoring import Result, pedalled
from audeo_bench.score import mean_note_f1
from audeo_bench.score.causes import CAUSES
from audeo_bench.score.frames import METRICS
from audeo_bench.score.notes import NOTE_METRICS
from audeo_bench.score.tables import cause_table


def tables(results: Sequence[Result], view: View, extras: Iterable[str] = ()) -> Iterator[Sheet]:
    """Table 1, the causes of false positives, and the extras: ``recordings``, ``notes``, ``held notes``,
    ``groups``.
    """
    subject = results[0].record.subject
    frames = results[0].record.frames
    quick = part(subject.limit)
    what = (
        f"{subject.provenance}: corpus {subject.corpus} {subject.version}, {subject.split}, {frames:,} frames"
    )
    what += subject.particulars
    how = f"{what}; {view.average}, {view.keys} keys, %"
    yield table1(rows(results, view), f"{quick}Table 1 ({how})")
    yield false_positives(results, view)
    if "recordings" in extras:
        yield per_recording(results, view, f"By recording ({how})")
    if "notes" in extras:
        yield notes(results, view, f"Notes ({what})")
    if "held notes" in extras:
        held = [pedalled(result) for result in results]
        yield notes(held, view, f"Notes, true ones as the sustain pedal holds them ({what})")
    if "groups" in extras:
        yield groups(results, view, "polyphony")
        yield groups(results, view, "register")


def as_json(results: Sequence[Result], view: View, figures: Sequence[Path] = ()) -> str:
    record = results[0].record
    answer = {
        "subject": record.subject.model_dump(),
        "command": record.origin.command,
        "average": view.average,
        "keys": view.keys,
        "unit": "%",
        "rows": [asdict(row) for row in rows(results, view)],
        "runs": {result.record.system: str(result.folder) for result in results},
        "figures": [str(path) for path in figures],
    }
    return json.dumps(answer, indent=1)


def table1(found: Iterable[TableRow], title: str) -> Sheet:
    """Reported rows dimmed, reproduced rows with their differences to them."""
    caption = (
        "Source paper: as reported, on real video. Signed numbers: reproduced minus reported.\n"
        "Frames/s: the whole chain, without rendering or decoding the frames."
    )
    headings = ("System", "Trained on", "Threshold", "Source", *_headings(METRICS), "Frames/s")
    made = table(title, *headings, caption=caption)
    for row in found:
        cells = [beside_paper(row.values[name], (row.difference or {}).get(name)) for name in METRICS]
        speed = f"{row.frames_per_second:,.0f}" if row.frames_per_second else ""
        style = "dim" if row.source == "paper" else None
        label = row.label
        if len(row.seeds) > 1:
            least, greatest = (percent(end(row.seeds)) for end in (min, max))
            label += f"\n{len(row.seeds)} training seeds, F1 {least} to {greatest}"
        made.add_row(label, row.trained_on, f"{row.threshold:g}", row.source, *cells, speed, style=style)
    return made


def per_recording(results: Sequence[Result], view: View, title: str) -> Sheet:
    """Each recording's values, one row a system and recording."""
    made = table(title, "System", "Recording", "Frames", *_headings(METRICS))
    for result in results:
        measure = view.measure(_first(view, result))
        for name, values in recording_values(result, measure).items():
            frames = f"{result.record.answers[name].frames:,}"
            made.add_row(result.record.system, name, frames, *(percent(values[m]) for m in METRICS))
        made.add_section()
    return made


def notes(results: Sequence[Result], view: View, title: str) -> Sheet:
    """Note metrics: F1 in per cent, the mean over recordings."""
    caption = "F1 in %, mean over recordings (mir_eval.transcription)"
    made = table(title, "System", *NOTE_METRICS, caption=caption)
    for result in results:
        values = (mean_note_f1(result.scores, name, _first(view, result)) for name in NOTE_METRICS)
        made.add_row(result.record.system, *map(percent, values))
    return made


def false_positives(results: Sequence[Result], view: View) -> Sheet:
    """Why false positives happened, as shares of all of them."""
    caption = (
        "Shares of all, 88 keys. pressed: the key is down though it no longer sounds (the paper's "
        "Fig. 6); edge: within 80 ms of a true note"
    )
    made = table("Causes of false positives (%)", "System", "Threshold", *CAUSES, caption=caption)
    for result in results:
        threshold = _first(view, result)
        shares = _causes(result, threshold, "false_positives", "share")
        made.add_row(
            result.record.system, f"{threshold:g}", *(percent(100 * shares[cause]) for cause in CAUSES)
        )
    return made


def groups(results: Sequence[Result], view: View, by: str) -> Sheet:
    """F1 by ``polyphony`` (keys that sound at once) or by ``register`` (octave of the key)."""
    first = _causes(results[0], _first(view, results[0]), by, "f1")
    made = table(f"F1 by {by} (%, micro, all 88 keys)", "System", *first)
    for result in results:
        f1, tp, fp, fn = (
            _causes(result, _first(view, result), by, quantity) for quantity in ("f1", "tp", "fp", "fn")
        )
        anything = {group: tp[group] + fp[group] + fn[group] > 0 for group in f1}
        cells = (percent(100 * value if anything[group] else None) for group, value in f1.items())
        made.add_row(result.record.system, *cells)
    return made


def metrics(found: pd.DataFrame, title: str) -> Sheet:
    """The long table of ``audeo_bench.score.score_file``, one row a key range, average and threshold."""
    wide = found.pivot(index=["keys", "average", "threshold"], columns="metric", values="value")
    made = table(title, "Keys", "Average", "Threshold", *_headings(METRICS))
    for (keys, average, threshold), values in wide.iterrows():  # type: ignore[misc]  # a MultiIndex yields tuples
        made.add_row(keys, average, f"{threshold:g}", *(f"{100 * values[m]:.2f}" for m in METRICS))
    return made


def _first(view: View, result: Result) -> float:
    return view.thresholds_of(result.record.system)[0]


def _headings(names: Iterable[str]) -> list[str]:
    return [{"f1": "F1"}.get(name, name.capitalize()) for name in names]


def _causes(result: Result, threshold: float, by: str, quantity: str) -> dict[str, float]:
    found = cause_table(result.scores)
    found = found[(found.threshold == threshold) & (found.by == by) & (found.quantity == quantity)]
    return dict(zip(found["group"], found["value"], strict=True))
