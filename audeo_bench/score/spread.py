"""How far a score would move on other recordings, or on other stretches of these: the delete-one jackknife.

A score is computed again with each unit left out. Units are whole recordings where there are
:data:`RECORDINGS_FROM` or more: what is said then holds for recordings like these. Fewer recordings say
nothing of others; then the units are the blocks of 20 seconds within each recording, left out in turn with
the rest of the recording counting for them (strata), and what is said holds for these performances alone.

Scores are ratios of sums and the units are unequally long, which the jackknife takes as it is; the interval
is Student's. docs/notebook/statistics.md shows how often it holds what it should, beside two bootstraps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.score.frames import METRICS, FrameCounts, micro
from audeo_bench.score.measure import Measure

RECORDINGS_FROM = 8
"""So many recordings speak of others."""
LEVEL = 0.05

Counts = Mapping[str, FrameCounts]
"""Block sums by recording, as :func:`audeo_bench.score.frame_sums` gives."""
Trainings = Sequence[Counts]
"""One system's block sums for each of its training seeds; its score is the mean of theirs."""
Unit = Literal["recordings", "blocks"]


@dataclass(frozen=True)
class Spread:
    """A system's score, and how it moves with each unit.

    Attributes
    ----------
    value : float
        Over all frames of all recordings, in 0..1; the mean over training seeds.
    recordings : dict of str to float
        The score in each.
    deviations : np.ndarray, shape (units,)
        Their sum of squares is the score's variance, that of two systems' differences the variance of their
        difference.
    freedom : int
        Degrees of freedom: units less strata.
    """

    value: float
    recordings: dict[str, float]
    deviations: np.ndarray
    freedom: int
    unit: Unit


def spread(system: Trainings, measure: Measure, name: str = "system") -> Spread:
    """Score a system and leave out its units one by one.

    Raises
    ------
    AudeoBenchError
        No recordings, other recordings for another training seed, or a measure that was not scored.
    """
    columns = [_columns(counts, measure, name) for counts in system]
    if not columns or any(set(each) != set(columns[0]) for each in columns):
        raise AudeoBenchError(f"{name}: its training seeds answered for different recordings.")
    # (blocks, seeds, fields) by recording.
    recordings = {known: np.stack([each[known] for each in columns], axis=1) for known in columns[0]}
    sums = {known: blocks.sum(0) for known, blocks in recordings.items()}
    unit: Unit = "recordings" if len(sums) >= RECORDINGS_FROM else "blocks"
    if unit == "recordings":
        values, strata = np.stack(list(sums.values())), [np.arange(len(sums))]
    else:
        values = np.concatenate(list(recordings.values()))
        strata = strata_of([len(blocks) for blocks in recordings.values()])
    total, deviations = values.sum(0), np.zeros(len(values))
    for stratum in strata:
        size, part = len(stratum), values[stratum]
        if size > 1:
            left_out = total - part.sum(0) + (part.sum(0) - part) * (size / (size - 1))
            without = _value(left_out, measure)
            deviations[stratum] = np.sqrt((size - 1) / size) * (without - without.mean())
    return Spread(
        value=float(_value(total, measure)),
        recordings={known: float(_value(sums[known], measure)) for known in sums},
        deviations=deviations,
        freedom=len(values) - len(strata),
        unit=unit,
    )


def interval(system: Trainings, measure: Measure) -> tuple[float, float]:
    """95 % interval of a system's score, in 0..1; NaN where a single block is all there is.

    Do not compare systems by whether such intervals overlap: their errors go together, which only
    :func:`audeo_bench.score.statistics.compare_counts` sees.
    """
    found = spread(system, measure)
    reach = quantile(1 - LEVEL / 2, found.freedom) * float(np.linalg.norm(found.deviations))
    return float(np.clip(found.value - reach, 0, 1)), float(np.clip(found.value + reach, 0, 1))


def strata_of(blocks: Sequence[int]) -> list[np.ndarray]:
    """Indices of the blocks that stand for each other: recordings, with single blocks put together.

    A single block that is alone joins the shortest other recording.
    """
    ends = np.cumsum(blocks)
    recordings = [np.arange(end - count, end) for count, end in zip(blocks, ends, strict=True)]
    longer = sorted((r for r in recordings if len(r) > 1), key=len)
    single = [r for r in recordings if len(r) == 1]
    if len(single) == 1 and longer:
        longer[0] = np.concatenate([longer[0], single[0]])
    elif single:
        longer.append(np.concatenate(single))
    return longer


@lru_cache(maxsize=256)
def quantile(share: float, freedom: int) -> float:
    """Student's; NaN without a degree of freedom."""
    from scipy import stats

    return float(stats.t.ppf(share, freedom)) if freedom > 0 else float("nan")


def _columns(counts: Counts, measure: Measure, name: str) -> dict[str, np.ndarray]:
    """The sums that make the measure, (blocks, fields) by recording."""
    if measure.metric not in METRICS:
        raise AudeoBenchError(f"metric: found {measure.metric!r}; choose one of {', '.join(METRICS)}.")
    if not counts:
        raise AudeoBenchError(f"{name}: found no recordings; compare runs that have answered.")
    fields = (measure.metric, "frames") if measure.average == "frame_mean" else ("tp", "fp", "fn")
    columns = {}
    for recording in sorted(counts):
        if counts[recording].keys != measure.keys:
            raise AudeoBenchError(
                f"{name}: found sums over {counts[recording].keys} keys; compare over {measure.keys}."
            )
        sums = counts[recording]
        if measure.threshold not in sums.thresholds:
            sums = sums.at(measure.threshold)  # which says what there is
        row = sums.thresholds.index(measure.threshold)
        columns[recording] = np.array([getattr(sums, field)[row] for field in fields], float).T
    return columns


def _value(totals: np.ndarray, measure: Measure) -> np.ndarray:
    """From summed fields, shape (..., seeds, fields), to the mean over seeds of the measure, shape (...)."""
    if measure.average == "frame_mean":
        return (totals[..., 0] / totals[..., 1]).mean(-1)
    return getattr(micro(*np.moveaxis(totals, -1, 0)), measure.metric).mean(-1)
