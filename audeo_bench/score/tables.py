"""The scores of a run as tables in long form, ready to pivot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from audeo_bench.records import CauseCounts, NoteCounts, Scores
from audeo_bench.score.causes import CAUSES, POLYPHONIES, REGISTERS
from audeo_bench.score.frames import KEY_RANGES, join, metric_values, micro
from audeo_bench.score.notes import NOTE_METRICS
from audeo_bench.score.scores import MEAN, TOTAL, frame_sums

Cell = tuple[str, float, str, str]
"""Key range, threshold, average, metric."""


def metric_table(scores: Scores) -> pd.DataFrame:
    """Frame and note metrics.

    Columns: ``recording`` (an id, ``total`` or ``mean``), ``keys``, ``threshold``, ``average``
    (``frame_mean``, ``micro``, or a note metric such as ``onset@50``), ``metric``, ``value`` in 0..1.
    ``total`` runs over all frames (or notes) of all recordings as one, as in the paper; ``mean`` is the mean
    of the recordings' values, as is usual for note metrics. A note metric has neither where the true notes of
    a recording are unknown.
    """
    rows, values = [], defaultdict(list)
    for recording, cell, value in [*_frame_values(scores), *_note_values(scores)]:
        rows.append((recording, *cell, value))
        if recording != TOTAL:
            values[cell].append(value)
    for cell, each in values.items():
        if len(each) == len(scores.recordings):
            rows.append((MEAN, *cell, float(np.mean(each))))
    return pd.DataFrame(rows, columns=["recording", "keys", "threshold", "average", "metric", "value"])


def cause_table(scores: Scores) -> pd.DataFrame:
    """Errors by cause, polyphony and register, over all recordings.

    Columns: ``threshold``, ``by`` (``false_positives``, ``polyphony``, ``register``), ``group``, ``quantity``
    and ``value``. False positives have ``count`` and ``share``, NaN for ``pressed`` where unknown in any
    recording; the others ``frames``, ``tp``, ``fp``, ``fn`` and the micro ``precision``, ``recall``,
    ``accuracy``, ``f1``.
    """
    rows = []
    for place, threshold in enumerate(scores.thresholds):
        causes = [recording.causes[place] for recording in scores.recordings.values()]
        for row in _cause_values(causes):
            rows.append((threshold, *row))
    return pd.DataFrame(rows, columns=["threshold", "by", "group", "quantity", "value"])


def _frame_values(scores: Scores) -> Iterator[tuple[str, Cell, float]]:
    for keys in KEY_RANGES:
        counts = frame_sums(scores, keys)
        counts[TOTAL] = join(list(counts.values()))
        for recording, sums in counts.items():
            for range_, threshold, average, metric, value in metric_values(sums):
                yield recording, (range_, threshold, average, metric), value


def _note_values(scores: Scores) -> Iterator[tuple[str, Cell, float]]:
    known = {name: recording.notes for name, recording in scores.recordings.items() if recording.notes}
    for place, threshold in enumerate(scores.thresholds):
        for kind in NOTE_METRICS if known else ():
            counts = {name: notes[place][kind] for name, notes in known.items()}
            if len(known) == len(scores.recordings):
                fields = NoteCounts.model_fields
                pooled = {field: sum(getattr(c, field) for c in counts.values()) for field in fields}
                counts[TOTAL] = NoteCounts(**pooled)
            for recording, count in counts.items():
                for metric in ("precision", "recall", "f1"):
                    yield recording, ("88", threshold, kind, metric), getattr(count, metric)


def _cause_values(causes: Sequence[CauseCounts]) -> Iterator[tuple[str, str, str, float]]:
    all_wrong = sum(count or 0 for recording in causes for count in recording.false_positives.values())
    for cause in CAUSES:
        counts = [recording.false_positives[cause] for recording in causes]
        total = float("nan") if None in counts else float(sum(count or 0 for count in counts))
        yield "false_positives", cause, "count", total
        yield "false_positives", cause, "share", total / all_wrong if all_wrong else float("nan")
    for by, groups, cells in (
        ("polyphony", POLYPHONIES, [recording.by_polyphony for recording in causes]),
        ("register", REGISTERS, [recording.by_register for recording in causes]),
    ):
        sums = {
            field: np.sum([getattr(c, field) for c in cells], axis=0)
            for field in ("frames", "tp", "fp", "fn")
        }
        sums.update(asdict(micro(sums["tp"], sums["fp"], sums["fn"])))
        for quantity, values in sums.items():
            for group, value in zip(groups, values, strict=True):
                yield by, group, quantity, float(value)
