"""Scoring rolls, and asking scores for numbers. What is stored: :class:`audeo_bench.records.Scores`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from audeo_bench.api import Notes
from audeo_bench.errors import AudeoBenchError
from audeo_bench.records import (
    METRIC_VERSION,
    BlockSums,
    KeyRange,
    NoteMetric,
    RecordingScores,
    Scores,
    StoredScores,
    Subject,
    read,
)
from audeo_bench.score.causes import cause_counts
from audeo_bench.score.frames import (
    AVERAGES,
    BLOCK,
    KEY_RANGES,
    METRICS,
    FrameCounts,
    average,
    check_rolls,
    frame_counts,
    join,
)
from audeo_bench.score.measure import MAIN, Measure
from audeo_bench.score.notes import roll_note_counts

THRESHOLDS = (0.3, 0.4, 0.5)
TOTAL, MEAN = "total", "mean"
"""Names in tables: all frames of all recordings as one, as the paper; and the mean over recordings."""


@dataclass(frozen=True)
class Rolls:
    """What one recording is scored from.

    Attributes
    ----------
    truth : np.ndarray, shape (88, T), bool
        ``Recording.sounding``.
    probabilities : np.ndarray, shape (88, T), values in 0..1
    pressed : np.ndarray or None, shape (88, T), bool
        ``Recording.pressed``, for the causes.
    notes : Notes or None
        ``Recording.notes``, for the note metrics.
    """

    truth: np.ndarray
    probabilities: np.ndarray
    pressed: np.ndarray | None = None
    notes: Notes | None = None


def score_recording(
    rolls: Rolls, thresholds: Sequence[float] = THRESHOLDS, name: str = "recording"
) -> RecordingScores:
    """Score one recording's roll in every way.

    Parameters
    ----------
    rolls : Rolls
    thresholds : sequence of float
        On where ``probability >= threshold``.
    name : str
        The recording's id, for error messages.

    Raises
    ------
    AudeoBenchError
        What cannot be scored, naming the recording and what was found.
    """
    truth, probabilities = check_rolls(rolls.truth, rolls.probabilities, name)
    thresholds = [float(threshold) for threshold in thresholds]  # numpy's own would widen a float16 roll
    sums: dict[KeyRange, BlockSums] = {}
    for keys in KEY_RANGES:
        counts = frame_counts(truth, probabilities, thresholds, keys, name=name)
        sums[keys] = BlockSums(**{field: getattr(counts, field).tolist() for field in BlockSums.model_fields})
    pressed = rolls.pressed
    if pressed is not None and pressed.shape != truth.shape:
        raise AudeoBenchError(f"{name}: found pressed of shape {pressed.shape} for truth of {truth.shape}.")
    matched = None
    if rolls.notes is not None:
        matched = [roll_note_counts(rolls.notes, probabilities, threshold) for threshold in thresholds]
    causes = [cause_counts(truth, probabilities >= threshold, pressed) for threshold in thresholds]
    return RecordingScores(blocks=sums, notes=matched, causes=causes)


def score_rolls(
    rolls: Mapping[str, Rolls],
    subject: Subject | None = None,
    thresholds: Sequence[float] = THRESHOLDS,
    progress: Callable[[str], Any] = lambda name: None,
) -> Scores:
    """Score the rolls of a whole split.

    Parameters
    ----------
    rolls : mapping of recording id to Rolls
        Looked up one recording at a time, so it may load lazily.
    subject : Subject or None
        Which recordings these are; None for arrays from anywhere, which compare only with such.
    progress : callable
        Called with each recording's id when it is done.
    """
    if not rolls or {TOTAL, MEAN} & set(rolls):
        raise AudeoBenchError(
            f"rolls: found the recordings {list(rolls)}; give at least one, none called total or mean."
        )
    scored = {}
    for name in rolls:
        scored[name] = score_recording(rolls[name], thresholds, name)
        progress(name)
    return Scores(
        metric_version=METRIC_VERSION,
        subject=subject or Subject(),
        thresholds=tuple(float(threshold) for threshold in thresholds),
        block=BLOCK,
        recordings=scored,
    )


def read_scores(path: Path) -> Scores:
    """Read a run's ``scores.json``; errors name the file."""
    return read(path, StoredScores, "score the run again").scores


def frame_sums(scores: Scores, keys: KeyRange = "88") -> dict[str, FrameCounts]:
    """Block sums of each recording as arrays, ready for ``average`` and the statistics."""
    sums = [field.name for field in fields(FrameCounts) if field.name in BlockSums.model_fields]
    return {
        name: FrameCounts(
            scores.thresholds,
            keys,
            scores.block,
            **{field: np.array(getattr(recording.blocks[keys], field)) for field in sums},
        )
        for name, recording in scores.recordings.items()
    }


def value(scores: Scores, measure: Measure = MAIN) -> float:
    """One total over all frames of all recordings, in 0..1."""
    total = join(list(frame_sums(scores, measure.keys).values())).at(measure.threshold)
    return float(getattr(average(total, measure.average), measure.metric)[0])


def percents(sums: Mapping[str, FrameCounts], measure: Measure = MAIN) -> dict[str, float]:
    """Precision, recall, accuracy and F1 over all frames of some recordings, in percent.

    The measure's own metric plays no part.
    """
    found = average(join(list(sums.values())).at(measure.threshold), measure.average)
    return {name: 100 * float(getattr(found, name)[0]) for name in METRICS}


def measures_of(scores: Scores) -> list[Measure]:
    """F1 by every average, key range and threshold that stored block sums give."""
    return [
        Measure("f1", kind, keys, t) for keys in KEY_RANGES for kind in AVERAGES for t in scores.thresholds
    ]


def mean_note_f1(scores: Scores, name: NoteMetric, threshold: float = MAIN.threshold) -> float | None:
    """Mean over recordings of a note F1 in percent, as the field reports it; None where notes are unknown."""
    place = scores.thresholds.index(threshold)
    values = []
    for recording in scores.recordings.values():
        if recording.notes is None:
            return None
        notes = recording.notes[place][name]
        both = notes.reference + notes.estimated
        values.append(200 * notes.matched / both if both else 0.0)
    return sum(values) / len(values)
