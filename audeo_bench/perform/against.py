"""An answer for a film held against true notes: what ``perform --against`` prints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audeo_bench.api import FRAMES_PER_SECOND, AudeoBenchError, Notes
from audeo_bench.roll import notes_to_roll

__all__ = ["Agreement", "agreement"]

LONGEST_LAG_S = 120.0


@dataclass(frozen=True)
class Agreement:
    """How an answer agrees with true notes, shares in 0..1.

    Attributes
    ----------
    lag_s : float
        The truth's beginning in the film: true notes were moved later by so much.
    onset_50, onset_100 : float
        F1 of onsets within 50 and 100 ms, offsets ignored (:func:`mir_eval.transcription`).
    frame : float
        Micro F1 over frames of 40 ms and 88 keys.
    notes, true_notes : int
    """

    lag_s: float
    onset_50: float
    onset_100: float
    frame: float
    notes: int
    true_notes: int


def agreement(answer: Notes, truth: Notes, seconds: float) -> Agreement:
    """Find the constant lag between both, then score.

    Parameters
    ----------
    answer, truth : Notes
    seconds : float
        The film's length; true notes outside of it do not count.

    Raises
    ------
    AudeoBenchError
        The truth holds no note.
    """
    import mir_eval

    if not len(truth):
        raise AudeoBenchError("--against: the file holds no notes; give the film's true notes.")
    lag = _lag(answer, truth)
    intervals = truth.intervals + lag
    inside = (intervals[:, 0] >= 0) & (intervals[:, 0] < seconds)
    moved = Notes(intervals[inside], truth.pitches[inside], truth.velocities[inside])
    scores = []
    for tolerance in (0.05, 0.1):
        if not len(moved) or not len(answer):
            scores.append(0.0)
            continue
        _, _, f1, _ = mir_eval.transcription.precision_recall_f1_overlap(
            moved.intervals,
            440.0 * 2.0 ** ((moved.pitches - 69) / 12),
            answer.intervals,
            440.0 * 2.0 ** ((answer.pitches - 69) / 12),
            onset_tolerance=tolerance,
            offset_ratio=None,  # type: ignore[arg-type]
        )
        scores.append(float(f1))
    frames = max(1, round(seconds * FRAMES_PER_SECOND))
    ours, true = notes_to_roll(answer, frames), notes_to_roll(moved, frames)
    both = int(ours.sum() + true.sum())
    frame = 2 * int((ours & true).sum()) / both if both else 1.0
    return Agreement(lag, scores[0], scores[1], frame, len(answer), len(moved))


def _lag(answer: Notes, truth: Notes) -> float:
    """Seconds by which the truth is to be moved so that most onsets of equal pitch coincide, to 10 ms."""
    later = []
    for pitch in np.unique(truth.pitches):
        ours, true = (notes.intervals[notes.pitches == pitch, 0] for notes in (answer, truth))
        later.append((ours[:, None] - true[None]).ravel())
    gaps = np.concatenate(later) if later else np.zeros(0)
    gaps = gaps[np.abs(gaps) <= LONGEST_LAG_S]
    if not len(gaps):
        return 0.0
    steps = np.round(gaps * 100).astype(np.int64)
    counts = np.bincount(steps - steps.min())
    near = np.convolve(counts, np.ones(11), "same")
    best = int(near.argmax()) + int(steps.min())
    close = gaps[np.abs(gaps - best / 100) <= 0.06]
    return float(np.median(close)) if len(close) else best / 100
