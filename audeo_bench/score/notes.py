"""Note-level precision, recall and F1, by ``mir_eval.transcription``.

=========  =============  =====================================  =====================
metric     onset within   offset within                          in mir_eval
=========  =============  =====================================  =====================
onset@50   50 ms          anything                               ``offset_ratio=None``
onset@100  100 ms         anything                               ``offset_ratio=None``
full@50    50 ms          50 ms or 20 % of the note if more      the defaults
offtol@50  50 ms          50 ms                                  ``offset_ratio=0``
=========  =============  =====================================  =====================

The pitch must be right in all four. A roll's note starts in the middle of its first frame
(``roll_to_notes``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from audeo_bench.records import NoteCounts, NoteMetric
from audeo_bench.roll import Notes, roll_to_notes

NOTE_METRICS: dict[NoteMetric, dict[str, Any]] = {
    "onset@50": {"onset_tolerance": 0.05, "offset_ratio": None},
    "onset@100": {"onset_tolerance": 0.1, "offset_ratio": None},
    "full@50": {"onset_tolerance": 0.05, "offset_ratio": 0.2, "offset_min_tolerance": 0.05},
    "offtol@50": {"onset_tolerance": 0.05, "offset_ratio": 0.0, "offset_min_tolerance": 0.05},
}
"""Metric name -> arguments of ``mir_eval.transcription.match_notes``."""
SHOWN_NOTES: tuple[NoteMetric, ...] = ("onset@50", "onset@100", "full@50")
"""What boards show: the three that most papers report."""


def note_counts(reference: Notes, estimated: Notes) -> dict[NoteMetric, NoteCounts]:
    """Match estimated notes with the true ones by each of the four metrics.

    Equal to ``mir_eval.transcription.precision_recall_f1_overlap`` on all notes. Only notes of one pitch
    can match, so each pitch is matched on its own: the distances of all pairs would fill gigabytes.

    Returns
    -------
    counts : dict of str to NoteCounts
        By the names in ``NOTE_METRICS``.
    """
    from mir_eval.transcription import match_notes

    matched = dict.fromkeys(NOTE_METRICS, 0)
    for pitch in np.intersect1d(reference.pitches, estimated.pitches):
        true = reference.intervals[reference.pitches == pitch]
        found = estimated.intervals[estimated.pitches == pitch]
        hertz = np.full(max(len(true), len(found)), 440.0)
        for name, tolerances in NOTE_METRICS.items():
            pairs = match_notes(true, hertz[: len(true)], found, hertz[: len(found)], **tolerances)
            matched[name] += len(pairs)
    return {
        name: NoteCounts(matched=found, reference=len(reference), estimated=len(estimated))
        for name, found in matched.items()
    }


def roll_note_counts(
    reference: Notes, probabilities: np.ndarray, threshold: float
) -> dict[NoteMetric, NoteCounts]:
    """Score the notes that a roll says at a threshold; each unbroken run of a key is one note.

    Parameters
    ----------
    reference : Notes
        In continuous time, such as ``Recording.notes``.
    probabilities : np.ndarray, shape (88, T)
    threshold : float
        On where ``probability >= threshold``.
    """
    return note_counts(reference, roll_to_notes(np.asarray(probabilities) >= threshold))
