"""Is one system really better than another? One rule for ranks and verdicts, here and nowhere else.

All pairs of the systems that are read together are compared, paired: unit by unit (see
:mod:`audeo_bench.score.spread`), Student's test on the jackknife's error of the difference, adjusted by Holm
over all pairs. A rank ends only where every system above it is shown to be better than every system below it:
systems of different rank are never "no difference shown". How often all this errs:
``python -m studies.false_alarms`` and docs/notebook/statistics.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.records import Scores
from audeo_bench.score.measure import MAIN, Measure
from audeo_bench.score.scores import frame_sums
from audeo_bench.score.spread import LEVEL, Counts, Spread, Trainings, Unit, quantile, spread

if TYPE_CHECKING:
    import pandas as pd

UNITS_FROM = 6
"""Fewer units show no difference, however large it is."""
POWER = 0.8

Verdict = Literal["general", "consistent", "different here", "no difference shown"]


@dataclass(frozen=True)
class Comparison:
    """What is known of the difference ``left - right``, in the metric's units (0..1).

    Attributes
    ----------
    difference : float
        Over all frames of all recordings, of the means over training seeds.
    low, high : float
        95 % interval of this difference alone; NaN where a single block is all there is.
    p, p_adjusted : float
        Of the paired test, and after Holm over all pairs that are read together.
    recordings : dict of str to float
        The difference in each recording.
    detectable : float
        The difference that this pair's spread would have shown in 80 % of such comparisons, at Holm's
        strictest level.
    verdict : str
        ``no difference shown`` (``p_adjusted`` is 5 % or more), or else the strongest that holds: ``general``
        (the units are recordings: it holds for others like these), ``consistent`` (these performances, and
        all of two or more agree in sign), ``different here`` (these performances).
    """

    left: str
    right: str
    measure: Measure
    unit: Unit
    difference: float
    low: float
    high: float
    p: float
    p_adjusted: float
    recordings: dict[str, float]
    detectable: float
    verdict: Verdict


@dataclass(frozen=True)
class Standing:
    """Systems that are read together: their scores, ranks and comparisons.

    Attributes
    ----------
    systems : dict of str to Spread
        Best first.
    ranks : dict of str to int
        A rank is the place of its first system: 1, 1, 3. It is shared unless all above are shown to be better
        than all from here on.
    errors, p, p_adjusted : np.ndarray, shape (systems, systems)
        Of each pair's difference: its standard error, and its p-values; 1 on the diagonal.
    """

    measure: Measure
    systems: dict[str, Spread]
    ranks: dict[str, int]
    errors: np.ndarray
    p: np.ndarray
    p_adjusted: np.ndarray

    @property
    def unit(self) -> Unit:
        return next(iter(self.systems.values())).unit

    @property
    def pairs(self) -> int:
        return len(self.systems) * (len(self.systems) - 1) // 2

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.systems)}

    def shared(self, name: str) -> bool:
        """Whether a system has its rank with others."""
        return list(self.ranks.values()).count(self.ranks[name]) > 1

    def beaten_by(self, name: str) -> list[str]:
        """The systems that are shown to be worse than this one."""
        place = self._places[name]
        worse = self.p_adjusted[place] < LEVEL
        return [other for other, at in self._places.items() if at > place and worse[at]]

    @cached_property
    def ties(self) -> dict[str, tuple[int, ...]]:
        """Which groups each system belongs to, numbered from 0, best first: a group is a system and those
        below it that are not shown to differ from it, unless an earlier group holds them all.
        """
        groups: list[set[int]] = []
        for place, row in enumerate(self.p_adjusted):
            group = {int(at) for at in np.flatnonzero(row >= LEVEL) if at >= place}
            if not any(group <= earlier for earlier in groups):
                groups.append(group)
        return {
            name: tuple(number for number, group in enumerate(groups) if place in group)
            for name, place in self._places.items()
        }

    def detectable(self) -> float:
        """The difference that would have been shown in 80 % of such boards: the median over all pairs; NaN
        for a single system, or too few units to show any.
        """
        upper = np.triu_indices(len(self.systems), 1)
        return float(np.median(self.errors[upper])) * self._reach if len(upper[0]) else float("nan")

    @cached_property
    def _reach(self) -> float:
        """Standard errors that a difference needs to be shown in 80 % of comparisons."""
        found = next(iter(self.systems.values()))
        if len(found.deviations) < UNITS_FROM:
            return float("nan")
        strictest = LEVEL / max(self.pairs, 1)
        return quantile(1 - strictest / 2, found.freedom) + quantile(POWER, found.freedom)

    def compare(self, left: str, right: str) -> Comparison:
        """One pair, whichever is better."""
        ours, theirs = self.systems[left], self.systems[right]
        pair = self._places[left], self._places[right]
        difference, error = ours.value - theirs.value, float(self.errors[pair])
        reach = quantile(1 - LEVEL / 2, ours.freedom) * error
        recordings = {name: value - theirs.recordings[name] for name, value in ours.recordings.items()}
        adjusted = float(self.p_adjusted[pair])
        return Comparison(
            left=left,
            right=right,
            measure=self.measure,
            unit=ours.unit,
            difference=difference,
            low=difference - reach,
            high=difference + reach,
            p=float(self.p[pair]),
            p_adjusted=adjusted,
            recordings=recordings,
            detectable=self._reach * error,
            verdict=_verdict(adjusted, ours.unit, list(recordings.values())),
        )


def compare(systems: Mapping[str, Sequence[Scores]], measure: Measure = MAIN) -> Standing:
    """Compare and rank systems by their stored scores, one for each training seed.

    Raises
    ------
    AudeoBenchError
        See :func:`check_comparable` and :func:`compare_counts`.
    """
    each = [(name, scores) for name, trainings in systems.items() for scores in trainings]
    for name, scores in each[1:]:
        check_comparable(each[0][1], scores, (each[0][0], name))
    sums = {
        name: [frame_sums(scores, measure.keys) for scores in trainings]
        for name, trainings in systems.items()
    }
    return compare_counts(sums, measure)


def check_comparable(left: Scores, right: Scores, names: tuple[str, str] = ("left", "right")) -> None:
    """Refuse two runs whose numbers do not mean the same.

    Raises
    ------
    AudeoBenchError
        Naming the first thing that differs.
    """
    differing: list[tuple[str, object, object]] = [
        ("metric version", left.metric_version, right.metric_version),
        ("block", left.block, right.block),
    ]
    differing += left.subject.differences(right.subject)
    for what, ours, theirs in differing:
        if ours != theirs:
            raise AudeoBenchError(
                f"{names[0]} and {names[1]}: found {what} {ours!r} and {theirs!r}; compare runs of the same."
            )


def compare_counts(systems: Mapping[str, Trainings], measure: Measure = MAIN) -> Standing:
    """Compare and rank systems by their block sums.

    Raises
    ------
    AudeoBenchError
        Different recordings, lengths, key ranges or truths; a measure that was not scored.
    """
    found = {name: spread(trainings, measure, name) for name, trainings in systems.items()}
    _check_same_truth(systems, measure)
    ordered = dict(sorted(found.items(), key=lambda item: (-item[1].value, item[0])))
    values = np.array([each.value for each in ordered.values()])
    deviations = np.array([each.deviations for each in ordered.values()])
    errors = np.array([np.linalg.norm(deviations - each, axis=1) for each in deviations])
    freedom = next(iter(ordered.values())).freedom
    p = _p_values(values[:, None] - values, errors, freedom, deviations.shape[1])
    adjusted, upper = np.ones_like(p), np.triu_indices(len(p), 1)
    adjusted[upper] = holm(p[upper])
    adjusted = np.minimum(adjusted, adjusted.T)
    ranks = dict(zip(ordered, _ranks(adjusted < LEVEL), strict=True))
    return Standing(measure, ordered, ranks, errors, p, adjusted)


def _p_values(differences: np.ndarray, errors: np.ndarray, freedom: int, units: int) -> np.ndarray:
    """Two-sided, of Student's test; 1 where there are too few units to tell."""
    from scipy import stats

    if freedom < 1 or units < UNITS_FROM:
        return np.ones_like(errors)
    # Differences that are nothing but float error are none; one that no unit changes is certain.
    differences = np.where(np.abs(differences) < 1e-12, 0, differences)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stats.t.sf(np.abs(differences) / errors, freedom)
    return np.where(differences == 0, 1.0, np.where(errors == 0, 0.0, p))


def _ranks(shown: np.ndarray) -> list[int]:
    """Ranks of systems in order, from which pairs (systems, systems) are shown to differ."""
    ranks, first, reach = [], 1, 0
    for place, row in enumerate(shown):
        if place > reach:  # all above are shown to be better than this one and all below it
            first = place + 1
        ranks.append(first)
        reach = max(reach, int(np.flatnonzero(~row)[-1]))
    return ranks


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """Holm's step-down adjustment: the chance of any false alarm among all of them stays below the level."""
    order = np.argsort(p_values, kind="stable")
    factors = len(p_values) - np.arange(len(p_values))
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(np.asarray(p_values)[order] * factors), 1)
    return adjusted


def comparison_table(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """One row a comparison, one column a recording's difference (``difference <id>``)."""
    import pandas as pd

    fields = ("left", "right", "difference", "low", "high", "p", "p_adjusted", "detectable", "verdict")
    return pd.DataFrame(
        [
            {field: getattr(comparison, field) for field in fields}
            | {f"difference {name}": value for name, value in comparison.recordings.items()}
            for comparison in comparisons
        ]
    )


def _check_same_truth(systems: Mapping[str, Trainings], measure: Measure) -> None:
    each = [(name, counts) for name, trainings in systems.items() for counts in trainings]
    for name, counts in each[1:]:
        _check_pair(each[0], (name, counts), measure)


def _check_pair(left: tuple[str, Counts], right: tuple[str, Counts], measure: Measure) -> None:
    (first, ours), (name, theirs) = left, right
    if set(ours) != set(theirs):
        alone = sorted(set(ours) ^ set(theirs))
        raise AudeoBenchError(
            f"{first} and {name}: only one has {', '.join(alone)}; compare the same recordings."
        )
    for recording in ours:
        mine, other = ours[recording].at(measure.threshold), theirs[recording].at(measure.threshold)
        if mine.block != other.block or not np.array_equal(mine.frames, other.frames):
            raise AudeoBenchError(
                f"{first} and {name}: found other frames or blocks in {recording}; score both again."
            )
        # What truly sounds is found or missed, so the two add up to the truth whatever the system.
        if not np.array_equal(mine.tp + mine.fn, other.tp + other.fn):
            raise AudeoBenchError(
                f"{first} and {name}: found another truth in {recording}; score both against the same."
            )


def _verdict(adjusted: float, unit: Unit, differences: Sequence[float]) -> Verdict:
    if adjusted >= LEVEL:
        return "no difference shown"
    if unit == "recordings":
        return "general"
    return "consistent" if len(differences) > 1 and len(set(np.sign(differences))) == 1 else "different here"
