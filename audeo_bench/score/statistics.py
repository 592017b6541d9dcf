"""Is one system really better than another? Paired, and aware that errors come in runs.

Neighbouring frames err together, so frames are no independent trials; blocks of 20 seconds nearly are. What
follows is computed from the sums over such blocks (:class:`audeo_bench.score.frames.FrameCounts`), never from
the rolls:

* the p-value swaps the two systems' answers block by block, within recordings, and asks how often the
  difference then is as large as the one found;
* the interval draws blocks with replacement within each recording. A plain percentile bootstrap is too narrow
  where a recording has few blocks, so it is corrected twice: see :mod:`audeo_bench.score.resampling`.

Both speak of *these* recordings. Whether the difference holds for others is tested between recordings, from
8 on. How often all this errs: ``python -m studies.false_alarms`` and docs/notebook/statistics.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from audeo_bench.api import AudeoBenchError
from audeo_bench.records import Scores
from audeo_bench.score.frames import METRICS, FrameCounts, micro
from audeo_bench.score.measure import Measure
from audeo_bench.score.resampling import (
    LEVEL,
    drawn_totals,
    holm,
    p_value,
    stretched_interval,
    swapped_totals,
)
from audeo_bench.score.scores import frame_sums

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 10_000
GENERAL_FROM = 8
"""Recordings from which on a difference is tested between recordings."""

Verdict = Literal["general", "consistent", "different here", "no difference shown"]
Counts = Mapping[str, FrameCounts]
"""Block sums by recording, as :func:`audeo_bench.score.frame_sums` gives."""


@dataclass(frozen=True)
class Comparison:
    """What is known of the difference ``left - right``, in the metric's units (0..1).

    Attributes
    ----------
    difference : float
        Over all frames of all recordings.
    low, high : float
        95 % interval of the difference on these recordings; NaN where a single block is all there is.
    p, p_adjusted : float
        Of the swap test, and after Holm over the rows compared together.
    recordings : dict of str to float
        The difference in each recording.
    p_between, p_between_adjusted : float or None
        Of a sign-flip test on the recordings' differences; None for fewer than 8.
    verdict : str
        The strongest that holds: ``general`` (different here and also tested between 8 or more recordings),
        ``consistent`` (different here, and all of two or more recordings agree in sign), ``different here``
        (``p_adjusted`` below 5 %: these performances), or ``no difference shown``.
    seed, draws : int
        The same seed gives the same numbers.
    """

    left: str
    right: str
    measure: Measure
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    recordings: dict[str, float]
    p_between: float | None
    p_between_adjusted: float | None
    verdict: Verdict
    seed: int
    draws: int


@dataclass(frozen=True)
class Rank:
    """A system's place. ``low`` and ``high`` bound its leader's lead over it; 0 for a leader itself."""

    name: str
    value: float
    rank: int
    leader: str
    low: float
    high: float


def compare_with(
    name: str,
    left: Scores,
    others: Mapping[str, Scores],
    measure: Measure | None = None,
    seed: int = 0,
    draws: int = DRAWS,
) -> list[Comparison]:
    """Compare a run with several others; Holm's adjustment runs over all of them."""
    measure = measure or Measure()
    for other, scores in others.items():
        check_comparable(left, scores, (name, other))
    mine = frame_sums(left, measure.keys)
    return adjust(
        [
            compare_counts(mine, frame_sums(scores, measure.keys), measure, (name, other), seed, draws)
            for other, scores in others.items()
        ]
    )


def check_comparable(left: Scores, right: Scores, names: tuple[str, str] = ("left", "right")) -> None:
    """Refuse two runs whose numbers do not mean the same.

    Raises
    ------
    AudeoBenchError
        Naming the first thing that differs.
    """
    differing = [
        ("metric version", left.metric_version, right.metric_version),
        ("block", left.block, right.block),
    ]
    differing += [
        (field, getattr(left.subject, field), getattr(right.subject, field))
        for field in type(left.subject).model_fields
    ]
    for what, ours, theirs in differing:
        if ours != theirs:
            raise AudeoBenchError(
                f"{names[0]} and {names[1]}: found {what} {ours!r} and {theirs!r}; compare runs of the same."
            )


def compare_counts(
    left: Counts,
    right: Counts,
    measure: Measure,
    names: tuple[str, str] = ("left", "right"),
    seed: int = 0,
    draws: int = DRAWS,
) -> Comparison:
    """Compare two systems' block sums; the verdict holds for this pair alone, see :func:`adjust`.

    Raises
    ------
    AudeoBenchError
        Different recordings, lengths, key ranges or truths; a measure that was not scored.
    """
    pair = _Pair.of(left, right, measure, names)
    difference, each = pair.difference(), pair.each()
    low, high = pair.interval(seed, draws)
    moved = swapped_totals(pair.right - pair.left, seed, draws)
    swapped = _value(pair.left.sum(0) + moved, measure) - _value(pair.right.sum(0) - moved, measure)
    p = p_value(swapped, difference, len(pair.left), draws)
    between = None
    if len(each) >= GENERAL_FROM:
        values = np.array(list(each.values()))
        flipped = values.mean() - 2 * swapped_totals(values[:, None], seed, draws)[:, 0] / len(each)
        between = p_value(flipped, float(values.mean()), len(each), draws)
    comparison = Comparison(
        left=names[0],
        right=names[1],
        measure=measure,
        difference=difference,
        low=low,
        high=high,
        p=p,
        p_adjusted=p,
        recordings=each,
        p_between=between,
        p_between_adjusted=between,
        verdict="no difference shown",
        seed=seed,
        draws=draws,
    )
    return adjust([comparison])[0]


def adjust(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Adjust p-values over comparisons that are read together (Holm), and word the verdicts by them."""
    here = holm([comparison.p for comparison in comparisons])
    tested = [place for place, comparison in enumerate(comparisons) if comparison.p_between is not None]
    adjusted = holm([comparisons[place].p_between or 0.0 for place in tested])
    between = dict(zip(tested, adjusted, strict=True))
    answers = []
    for place, comparison in enumerate(comparisons):
        found = replace(comparison, p_adjusted=here[place], p_between_adjusted=between.get(place))
        answers.append(replace(found, verdict=_verdict(found)))
    return answers


def interval(
    counts: Counts, measure: Measure | None = None, seed: int = 0, draws: int = DRAWS
) -> tuple[float, float]:
    """95 % interval of one system's own score on these recordings, by the same bootstrap.

    Do not compare systems by whether such intervals overlap: their errors go together, which only
    :func:`compare` sees.
    """
    measure = measure or Measure()
    columns = _columns(counts, measure, "interval")
    blocks, values = tuple(map(len, columns.values())), np.concatenate(list(columns.values()))
    drawn = _value(drawn_totals(values, blocks, seed, draws), measure)
    low, high = stretched_interval(drawn, float(_value(values.sum(0), measure)), blocks)
    return float(np.clip(low, 0, 1)), float(np.clip(high, 0, 1))


def shared_ranks(
    systems: Mapping[str, Counts], measure: Measure | None = None, seed: int = 0, draws: int = DRAWS
) -> list[Rank]:
    """Rank systems from best to worst; who cannot be told from the leader shares its rank.

    Going down from the best, a system shares the rank of the group's leader as long as the interval of their
    difference contains zero. The first one outside leads the next group, and its rank is its place.
    """
    measure = measure or Measure()
    totals = {}
    for name, counts in systems.items():
        columns = _columns(counts, measure, name)
        totals[name] = float(_value(np.concatenate(list(columns.values())).sum(0), measure))
    ranks: list[Rank] = []
    for place, name in enumerate(sorted(totals, key=lambda name: (-totals[name], name)), start=1):
        if ranks:
            leader = ranks[-1].leader
            pair = _Pair.of(systems[leader], systems[name], measure, (leader, name))
            low, high = pair.interval(seed, draws)
            # An interval that is unknown (NaN) separates nothing.
            if not low > 0:
                ranks.append(Rank(name, totals[name], ranks[-1].rank, leader, low, high))
                continue
        ranks.append(Rank(name, totals[name], place, name, 0.0, 0.0))
    return ranks


def comparison_table(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """One row a comparison, one column a recording's difference (``difference <id>``)."""
    import pandas as pd

    fields = (
        *("left", "right", "difference", "low", "high"),
        *("p", "p_adjusted", "p_between_adjusted", "verdict"),
    )
    return pd.DataFrame(
        [
            {field: getattr(comparison, field) for field in fields}
            | {f"difference {name}": value for name, value in comparison.recordings.items()}
            for comparison in comparisons
        ]
    )


@dataclass(frozen=True)
class _Pair:
    """Two systems' block sums side by side, each of shape (blocks, columns)."""

    measure: Measure
    left: np.ndarray
    right: np.ndarray
    recordings: tuple[str, ...]
    blocks: tuple[int, ...]

    @classmethod
    def of(cls, left: Counts, right: Counts, measure: Measure, names: tuple[str, str]) -> _Pair:
        ours, theirs = _columns(left, measure, names[0]), _columns(right, measure, names[1])
        if set(ours) != set(theirs):
            alone = sorted(set(ours) ^ set(theirs))
            raise AudeoBenchError(
                f"{names[0]} and {names[1]}: only one has {', '.join(alone)}; compare the same recordings."
            )
        for name in ours:
            mine, other = left[name].at(measure.threshold), right[name].at(measure.threshold)
            if mine.block != other.block or not np.array_equal(mine.frames, other.frames):
                raise AudeoBenchError(
                    f"{names[0]} and {names[1]}: found other frames or blocks in {name}; score both again."
                )
            # What truly sounds is found or missed, so the two add up to the truth whatever the system.
            if not np.array_equal(mine.tp + mine.fn, other.tp + other.fn):
                raise AudeoBenchError(
                    f"{names[0]} and {names[1]}: found another truth in {name}; score both against the same."
                )
        return cls(
            measure,
            np.concatenate(list(ours.values())),
            np.concatenate([theirs[name] for name in ours]),
            tuple(ours),
            tuple(map(len, ours.values())),
        )

    def difference(self) -> float:
        return float(_value(self.left.sum(0), self.measure) - _value(self.right.sum(0), self.measure))

    def each(self) -> dict[str, float]:
        """The difference in each recording."""
        starts = np.cumsum([0, *self.blocks[:-1]])
        left, right = (np.add.reduceat(side, starts) for side in (self.left, self.right))
        values = _value(left, self.measure) - _value(right, self.measure)
        return dict(zip(self.recordings, values.tolist(), strict=True))

    def interval(self, seed: int, draws: int) -> tuple[float, float]:
        left, right = (drawn_totals(side, self.blocks, seed, draws) for side in (self.left, self.right))
        drawn = _value(left, self.measure) - _value(right, self.measure)
        return stretched_interval(drawn, self.difference(), self.blocks)


def _columns(counts: Counts, measure: Measure, name: str) -> dict[str, np.ndarray]:
    """The sums that make the measure, (blocks, columns) by recording."""
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
        sums = counts[recording].at(measure.threshold)
        columns[recording] = np.stack([getattr(sums, field)[0] for field in fields], axis=1).astype(float)
    return columns


def _value(totals: np.ndarray, measure: Measure) -> np.ndarray:
    """From summed columns, shape (..., columns), to the measure, shape (...)."""
    if measure.average == "frame_mean":
        return totals[..., 0] / totals[..., 1]
    return getattr(micro(*np.moveaxis(totals, -1, 0)), measure.metric)


def _verdict(comparison: Comparison) -> Verdict:
    if comparison.p_adjusted >= LEVEL:
        return "no difference shown"
    if comparison.p_between_adjusted is not None and comparison.p_between_adjusted < LEVEL:
        return "general"
    signs = {np.sign(difference) for difference in comparison.recordings.values()}
    return "consistent" if len(comparison.recordings) > 1 and len(signs) == 1 else "different here"
