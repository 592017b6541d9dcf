"""Tables in the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from audeo_bench.paper.table1 import Result, Row, recording_values
from audeo_bench.score import Scores
from audeo_bench.score.causes import CAUSES
from audeo_bench.score.frames import METRICS, Average, KeyRange
from audeo_bench.score.notes import NOTE_METRICS

PIPE_WIDTH = 120
"""Columns where the output is no terminal; rich would squeeze tables into 80."""


def stdout() -> Console:
    """The console that tables go to."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)


def table1(rows: Iterable[Row], title: str, caption: str) -> Table:
    """Table 1: reported rows dimmed, reproduced rows with their differences to them."""
    table = _table(title, caption, "System", "Threshold", "Source", *_headings(METRICS), "Frames/s")
    for row in rows:
        cells = [Text(f"{row.values[name]:.1f}") for name in METRICS]
        for cell, name in zip(cells, METRICS, strict=True):
            if row.difference:
                cell.append(f" {row.difference[name]:+6.1f}", "green" if row.difference[name] >= 0 else "red")
        speed = f"{row.frames_per_second:,.0f}" if row.frames_per_second else ""
        style = "dim" if row.source == "paper" else None
        table.add_row(row.label, f"{row.threshold:g}", row.source, *cells, speed, style=style)
    return table


def per_recording(
    results: Sequence[Result], thresholds: Mapping[str, float], kind: Average, keys: KeyRange, title: str
) -> Table:
    """Each recording's values, one row a system and recording."""
    table = _table(title, None, "System", "Recording", "Frames", *_headings(METRICS))
    for result in results:
        system = result.record.system
        values = recording_values(result.scores, thresholds[system], kind, keys)
        for name, metrics in values.items():
            frames = f"{result.record.answers[name].frames:,}"
            table.add_row(system, name, frames, *(f"{metrics[m]:.1f}" for m in METRICS))
        table.add_section()
    return table


def notes(results: Sequence[Result], thresholds: Mapping[str, float], title: str) -> Table:
    """Note metrics: F1 in per cent, the mean over recordings."""
    table = _table(title, "F1 in %, mean over recordings (mir_eval.transcription)", "System", *NOTE_METRICS)
    for result in results:
        threshold = thresholds[result.record.system]
        found = result.scores.table()
        found = found[(found.recording == "mean") & (found.metric == "f1") & (found.threshold == threshold)]
        by_name = dict(zip(found["average"], found["value"], strict=True))
        table.add_row(result.record.system, *(_percent(by_name.get(name)) for name in NOTE_METRICS))
    return table


def false_positives(results: Sequence[Result], thresholds: Mapping[str, float]) -> Table:
    """Why false positives happened, as shares of all of them."""
    caption = (
        "Shares of all, 88 keys. pressed: the key is down though it no longer sounds (the paper's "
        "Fig. 6); edge: within 80 ms of a true note"
    )
    table = _table("Causes of false positives (%)", caption, "System", "Threshold", *CAUSES)
    for result in results:
        threshold = thresholds[result.record.system]
        shares = _causes(result.scores, threshold, "false_positives", "share")
        table.add_row(result.record.system, f"{threshold:g}", *(_percent(shares[cause]) for cause in CAUSES))
    return table


def groups(results: Sequence[Result], thresholds: Mapping[str, float], by: str) -> Table:
    """F1 by ``polyphony`` (keys that sound at once) or by ``register`` (octave of the key)."""
    first = _causes(results[0].scores, thresholds[results[0].record.system], by, "f1")
    table = _table(f"F1 by {by} (%, micro, all 88 keys)", None, "System", *first)
    for result in results:
        threshold = thresholds[result.record.system]
        f1, tp, fp, fn = (_causes(result.scores, threshold, by, name) for name in ("f1", "tp", "fp", "fn"))
        anything = {group: tp[group] + fp[group] + fn[group] > 0 for group in f1}
        cells = (_percent(value if anything[group] else None) for group, value in f1.items())
        table.add_row(result.record.system, *cells)
    return table


def metrics(table: pd.DataFrame, title: str) -> Table:
    """The long table of ``audeo_bench.score.score_file``, one row a key range, average and threshold."""
    wide = table.pivot(index=["keys", "average", "threshold"], columns="metric", values="value")
    printed = _table(title, None, "Keys", "Average", "Threshold", *_headings(METRICS))
    for (keys, average, threshold), values in wide.iterrows():  # type: ignore[misc]  # a MultiIndex yields tuples
        printed.add_row(keys, average, f"{threshold:g}", *(f"{100 * values[m]:.2f}" for m in METRICS))
    return printed


def _table(title: str, caption: str | None, *headings: str) -> Table:
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    words = {"System", "Source", "Recording", "Average", "Keys"}
    for heading in headings:
        table.add_column(heading, justify="left" if heading in words else "right")
    return table


def _headings(names: Iterable[str]) -> list[str]:
    return [{"f1": "F1"}.get(name, name.capitalize()) for name in names]


def _causes(scores: Scores, threshold: float, by: str, quantity: str) -> dict[str, float]:
    found = scores.causes()
    found = found[(found.threshold == threshold) & (found.by == by) & (found.quantity == quantity)]
    return dict(zip(found["group"], found["value"], strict=True))


def _percent(share: float | None) -> str:
    return "-" if share is None or share != share else f"{100 * share:.1f}"
