"""Scoring piano rolls against the truth.

For arrays, one call:

>>> from audeo_bench.score import score
>>> table = score(truth, probabilities, thresholds=(0.3, 0.4, 0.5))  # doctest: +SKIP

For a run, :func:`score_rolls` gives :class:`Scores`, which is what ``scores.json`` holds and what the
statistics compare. The metrics themselves: :mod:`.frames`, :mod:`.notes`, :mod:`.causes`; comparing systems:
:mod:`.statistics`; scores as tables: :mod:`.tables`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.npz import read_arrays
from audeo_bench.records import METRIC_VERSION, RecordingScores, Scores, Subject
from audeo_bench.roll import KEYS, THRESHOLD
from audeo_bench.score.frames import KEY_RANGES, frame_counts, metric_values
from audeo_bench.score.measure import MAIN, Measure, measure_of
from audeo_bench.score.scores import (
    THRESHOLDS,
    Rolls,
    frame_sums,
    mean_note_f1,
    measures_of,
    percents,
    read_scores,
    score_recording,
    score_rolls,
    value,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MAIN",
    "METRIC_VERSION",
    "THRESHOLDS",
    "Measure",
    "RecordingScores",
    "Rolls",
    "Scores",
    "Subject",
    "frame_sums",
    "mean_note_f1",
    "measure_of",
    "measures_of",
    "percents",
    "read_scores",
    "score",
    "score_file",
    "score_recording",
    "score_rolls",
    "value",
]


def score(
    truth: np.ndarray, probabilities: np.ndarray, thresholds: Sequence[float] = (THRESHOLD,)
) -> pd.DataFrame:
    """Frame metrics of one pair of rolls. All frames are scored.

    Parameters
    ----------
    truth : np.ndarray, shape (88, T) or (T, 88), bool
        Whole numbers are read as velocities: on above 0.
    probabilities : np.ndarray, same shape, values in 0..1
    thresholds : sequence of float
        A key is on where ``probability >= threshold``.

    Both arrays are laid out alike. Keys come first wherever that is possible: an 88 x 88 array is read as 88
    keys in 88 frames; transpose your own if its frames come first.

    Returns
    -------
    table : pandas.DataFrame
        Columns ``keys`` (``88`` or ``51``), ``threshold``, ``average`` (``frame_mean`` or ``micro``),
        ``metric`` (precision, recall, accuracy, f1) and ``value`` in 0..1.

    Raises
    ------
    AudeoBenchError
        Wrong or unequal shapes, NaN, values outside 0..1.
    """
    return _score(truth, probabilities, thresholds, "score", frames_first=False)


def score_file(path: str | Path, thresholds: Sequence[float] = THRESHOLDS) -> pd.DataFrame:
    """Frame metrics of the rolls in an ``.npz`` file with the arrays ``labels`` and ``probabilities``.

    Frames come first here, (T, 88), unless only the other way round is possible, (88, T); everything else is
    as in :func:`score`.

    Raises
    ------
    AudeoBenchError
        The file is missing, truncated, pickled, lacks an array, or its arrays cannot be scored.
    """
    remedy = "give an .npz file with the arrays labels and probabilities"
    arrays = read_arrays(Path(path), ["labels", "probabilities"], remedy=remedy)
    return _score(arrays["labels"], arrays["probabilities"], thresholds, str(path), frames_first=True)


def _score(
    truth: np.ndarray,
    probabilities: np.ndarray,
    thresholds: Sequence[float],
    name: str,
    frames_first: bool,
) -> pd.DataFrame:
    import pandas as pd

    truth, probabilities = np.asarray(truth), np.asarray(probabilities)
    if truth.ndim != 2 or KEYS not in truth.shape or truth.shape != probabilities.shape:
        raise AudeoBenchError(
            f"{name}: found truth of shape {truth.shape} and probabilities of {probabilities.shape}; "
            f"give both as ({KEYS}, frames) or both as (frames, {KEYS})."
        )
    keys_axis = 1 if (frames_first and truth.shape[1] == KEYS) or truth.shape[0] != KEYS else 0
    if keys_axis == 1:
        truth, probabilities = truth.T, probabilities.T
    counts = (frame_counts(truth, probabilities, thresholds, keys, name=name) for keys in KEY_RANGES)
    rows = [row for sums in counts for row in metric_values(sums)]
    return pd.DataFrame(rows, columns=["keys", "threshold", "average", "metric", "value"])


class _Callable(ModuleType):
    """Lets ``audeo_bench.score(...)`` be :func:`score`, though ``audeo_bench.score`` is this package."""

    def __call__(self, *arrays: Any, **options: Any) -> pd.DataFrame:
        return score(*arrays, **options)


sys.modules[__name__].__class__ = _Callable
