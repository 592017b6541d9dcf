"""A board's metrics by name: ``<average>.<keys>@<threshold>``, such as ``frame_mean.51@0.4``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from audeo_bench.api import AudeoBenchError
from audeo_bench.score.frames import AVERAGES, KEY_RANGES, METRICS, Average, FrameCounts, average, join
from audeo_bench.score.scores import RecordingScores, Scores
from audeo_bench.score.statistics import Measure

MAIN = Measure("f1", "frame_mean", "51", 0.4)
"""What boards rank by: Table 1's own F1."""


def measure_name(measure: Measure) -> str:
    """Such as ``frame_mean.51@0.4``."""
    return f"{measure.average}.{measure.keys}@{measure.threshold:g}"


def parse_measure(name: str) -> Measure:
    """The inverse of :func:`measure_name`, of F1.

    Raises
    ------
    AudeoBenchError
        No such average or key range.
    """
    kind, _, rest = name.partition(".")
    keys, _, threshold = rest.partition("@")
    if kind in AVERAGES and keys in KEY_RANGES:
        try:
            return Measure("f1", kind, keys, float(threshold))
        except ValueError:
            pass
    raise AudeoBenchError(
        f"metric {name!r}: write <average>.<keys>@<threshold>, average one of {', '.join(AVERAGES)}, "
        f"keys one of {', '.join(KEY_RANGES)}, such as {measure_name(MAIN)}."
    )


def measures_of(scores: Scores) -> list[Measure]:
    """Every average, key range and threshold that stored block sums give."""
    return [
        Measure("f1", kind, keys, t) for kind in AVERAGES for keys in KEY_RANGES for t in scores.thresholds
    ]


def percents(counts: Mapping[str, FrameCounts], kind: Average) -> dict[str, np.ndarray]:
    """Precision, recall, accuracy and F1 over all frames of some recordings, in percent, an array over
    thresholds.
    """
    found = average(join(list(counts.values())), kind)
    return {name: 100 * getattr(found, name) for name in METRICS}


def main_percents(scores: Scores) -> dict[str, float]:
    """Precision, recall, accuracy and F1 by :data:`MAIN` over all recordings, in percent."""
    counts = {name: counts.at(MAIN.threshold) for name, counts in scores.counts(MAIN.keys).items()}
    return {name: float(values[0]) for name, values in percents(counts, MAIN.average).items()}


def note_f1(recording: RecordingScores, name: str, place: int) -> float | None:
    """A recording's note F1 in percent at the ``place``-th threshold; None where the truth has no notes."""
    if recording.notes is None:
        return None
    notes = recording.notes[place][name]
    both = notes.reference + notes.estimated
    return 200 * notes.matched / both if both else 0.0


def mean_note_f1(scores: Scores, name: str, threshold: float) -> float | None:
    """Mean over recordings of the note F1 in percent, as the field reports it."""
    place = scores.thresholds.index(threshold)
    each = [note_f1(recording, name, place) for recording in scores.recordings.values()]
    known = [value for value in each if value is not None]
    return sum(known) / len(known) if len(known) == len(each) else None
