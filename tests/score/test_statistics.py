"""Comparisons: their arithmetic, what they refuse, and how they word it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audeo_bench.api import AudeoBenchError
from audeo_bench.score import MAIN, Measure, Rolls, Scores, Subject, frame_sums, score_rolls, value
from audeo_bench.score.frames import FrameCounts, average, block_sums, frame_counts, join
from audeo_bench.score.spread import Counts, interval, spread, strata_of
from audeo_bench.score.statistics import (
    Comparison,
    _ranks,
    compare,
    compare_counts,
    comparison_table,
    holm,
)
from studies.false_alarms import coverage_of_others, main, measure_rates, recordings

MEASURE = Measure(threshold=0.5)


def system(recordings: Mapping[str, tuple[int, float]], seed: int) -> dict[str, FrameCounts]:
    """Two keys always sound; the system finds each with its recording's chance: (frames, chance)."""
    rng = np.random.default_rng(seed)
    return {
        name: block_sums(
            found := rng.binomial(2, chance, (1, frames)), found, np.full(frames, 2), (MEASURE.threshold,)
        )
        for name, (frames, chance) in recordings.items()
    }


def same(count: int, frames: int, chance: float) -> dict[str, tuple[int, float]]:
    return {f"r{number}": (frames, chance) for number in range(count)}


def pair(left: Counts, right: Counts, measure: Measure = MEASURE) -> Comparison:
    return compare_counts({"left": [left], "right": [right]}, measure).compare("left", "right")


def test_a_clear_difference_between_few_recordings_is_consistent_not_general() -> None:
    found = pair(system(same(3, 3000, 0.8), 1), system(same(3, 3000, 0.7), 2))
    assert (found.verdict, found.unit) == ("consistent", "blocks")
    assert 0 < found.low < found.difference < found.high
    assert found.p < 0.001
    assert list(found.recordings) == ["r0", "r1", "r2"]


def test_recordings_that_disagree_make_it_different_here() -> None:
    worse_in_one = {**same(2, 3000, 0.8), "r2": (3000, 0.6)}
    found = pair(system(worse_in_one, 1), system(same(3, 3000, 0.65), 2))
    assert found.verdict == "different here"
    assert found.recordings["r2"] < 0 < found.difference


def test_eight_recordings_can_make_it_general() -> None:
    found = pair(system(same(8, 1500, 0.8), 1), system(same(8, 1500, 0.75), 2))
    assert (found.verdict, found.unit) == ("general", "recordings")


def test_a_system_does_not_differ_from_itself() -> None:
    it = system(same(3, 1200, 0.8), 1)
    found = pair(it, it)
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert found.verdict == "no difference shown"


def test_between_equally_long_recordings_it_is_scipys_paired_t_test() -> None:
    left, right = system(same(9, 1500, 0.8), 1), system(same(9, 1500, 0.79), 2)
    measure = Measure("recall", threshold=0.5)
    ours, theirs = (
        [float(c.recall[0].sum() / c.frames[0].sum()) for c in side.values()] for side in (left, right)
    )
    expected = stats.ttest_rel(ours, theirs)
    found = pair(left, right, measure)
    assert found.p == pytest.approx(expected.pvalue)
    interval_ = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval_.low, interval_.high))


def test_between_unequally_long_recordings_it_is_the_delete_one_jackknife() -> None:
    lengths = {f"r{number}": (700 + 300 * number, 0.6 + 0.03 * number) for number in range(9)}
    it = system(lengths, 3)
    measure = Measure("f1", "micro", threshold=0.5)
    without = []
    for gone in it:
        rest = join([counts for name, counts in it.items() if name != gone])
        without.append(float(average(rest, "micro").f1[0]))
    error = np.sqrt(8 / 9 * np.sum((np.array(without) - np.mean(without)) ** 2))
    found = spread([it], measure)
    assert np.linalg.norm(found.deviations) == pytest.approx(error)
    low, high = interval([it], measure)
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, 8) * error)


@given(seed=st.integers(0, 1000), average=st.sampled_from(["frame_mean", "micro"]))
@settings(max_examples=15, deadline=None)
def test_left_and_right_are_alike(seed: int, average: str) -> None:
    left, right = system(same(3, 1700, 0.8), seed), system(same(3, 1700, 0.79), seed + 5000)
    measure = Measure("f1", average, threshold=0.5)  # type: ignore[arg-type]
    both = compare_counts({"left": [left], "right": [right]}, measure)
    one, other = both.compare("left", "right"), both.compare("right", "left")
    assert one.difference == -other.difference
    assert (one.p, one.detectable) == (other.p, other.detectable)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)


@given(seed=st.integers(0, 1000), average=st.sampled_from(["frame_mean", "micro"]))
@settings(max_examples=15, deadline=None)
def test_several_seeds_are_their_mean(seed: int, average: str) -> None:
    """Score, recordings and deviations of several trainings are the means of theirs."""
    measure = Measure("f1", average, threshold=0.5)  # type: ignore[arg-type]
    trainings = [system(same(9, 600, chance), seed + place) for place, chance in enumerate((0.7, 0.8, 0.6))]
    together, each = spread(trainings, measure), [spread([one], measure) for one in trainings]
    assert together.value == pytest.approx(np.mean([one.value for one in each]))
    np.testing.assert_allclose(
        together.deviations, np.mean([one.deviations for one in each], axis=0), atol=1e-12
    )
    assert together.recordings["r3"] == pytest.approx(np.mean([one.recordings["r3"] for one in each]))


@pytest.mark.parametrize("count", [8, 9, 12, 24])
def test_intervals_hold_for_recordings_that_nobody_saw(count: int) -> None:
    """The score on endless recordings lies in nearly all printed intervals: wanted are 88 % or more."""
    assert coverage_of_others(count, trials=150, seed=count) >= 0.9


def test_a_detectable_difference_is_found_four_times_in_five() -> None:
    rng, found, trials = np.random.default_rng(0), 0, 150
    base = [recordings(rng, 12, 0.5) for _ in range(trials)]

    def moved(one: dict[str, FrameCounts], by: float) -> dict[str, FrameCounts]:
        noise = rng.normal(by, 0.04, len(one))
        return {
            name: replace(c, f1=c.f1 + e * c.frames) for (name, c), e in zip(one.items(), noise, strict=True)
        }

    gap = float(np.mean([pair(moved(one, 0), one).detectable for one in base]))
    for one in base:
        found += pair(moved(one, gap), one).p_adjusted < 0.05
    assert 0.7 < found / trials < 0.9


def test_single_blocks_stand_for_each_other() -> None:
    assert [s.tolist() for s in strata_of((3, 1, 2, 1))] == [[4, 5], [0, 1, 2], [3, 6]]
    assert [s.tolist() for s in strata_of((3, 1, 2))] == [[4, 5, 3], [0, 1, 2]]
    assert [s.tolist() for s in strata_of((1,))] == [[0]]
    lonely = pair(system(same(1, 400, 0.9), 1), system(same(1, 400, 0.5), 2))
    assert np.isnan([lonely.low, lonely.high, lonely.detectable]).all()
    assert lonely.p == 1
    few = pair(system(same(5, 400, 0.9), 1), system(same(5, 400, 0.5), 2))
    assert few.low > 0
    assert few.verdict == "no difference shown", "five units show nothing"


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]).tolist() == [1, 1]
    assert holm([]).tolist() == []


def test_all_pairs_of_a_table_are_adjusted_together() -> None:
    systems = {name: [system(same(3, 2500, 0.7 + 0.01 * place), place)] for place, name in enumerate("abcd")}
    found = compare_counts(systems, MEASURE)
    pairs = [found.compare(*names) for names in combinations("abcd", 2)]
    assert [each.p_adjusted for each in pairs] == pytest.approx(holm([each.p for each in pairs]).tolist())
    two = compare_counts({name: systems[name] for name in "ad"}, MEASURE).compare("a", "d")
    assert two.p == pytest.approx(found.compare("a", "d").p) and two.p_adjusted == two.p


@given(
    chances=st.lists(st.sampled_from([0.6, 0.62, 0.64, 0.7, 0.8]), min_size=2, max_size=6),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_rank_and_verdict_never_contradict_each_other(chances: list[float], seed: int) -> None:
    found = compare_counts(
        {
            f"s{place}": [system(same(3, 1500, chance), 10 * seed + place)]
            for place, chance in enumerate(chances)
        },
        MEASURE,
    )
    values = [each.value for each in found.systems.values()]
    assert values == sorted(values, reverse=True)
    for above, below in combinations(found.systems, 2):
        shown = found.compare(above, below).verdict != "no difference shown"
        assert found.ranks[above] == found.ranks[below] or shown
        assert shown == (below in found.beaten_by(above))
    for name, rank in found.ranks.items():
        assert rank <= list(found.systems).index(name) + 1
        assert found.shared(name) == (sum(other == rank for other in found.ranks.values()) > 1)


def test_ranks_are_shared_until_all_above_are_better_than_all_below() -> None:
    chances = {"c": 0.70, "a": 0.80, "b": 0.80, "d": 0.60}
    systems = {
        name: [system(same(3, 2500, chance), seed)] for seed, (name, chance) in enumerate(chances.items())
    }
    assert compare_counts(systems, MEASURE).ranks == {"a": 1, "b": 1, "c": 3, "d": 4}
    assert compare_counts(systems, MEASURE).ties == {"a": (0,), "b": (0,), "c": (1,), "d": (2,)}
    # A chain: neighbours cannot be told apart, the ends can; nobody's rank is below another's.
    chain = np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], bool)
    assert _ranks(chain) == [1, 1, 1]
    assert _ranks(np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]], bool)) == [1, 2, 2]


def test_a_group_of_ties_is_what_is_not_shown_to_differ_from_its_first() -> None:
    found = compare_counts({name: [system(same(3, 1500, 0.7), 0)] for name in "abc"}, MEASURE)
    assert found.ties == {"a": (0,), "b": (0,), "c": (0,)}
    chain = np.array([[1, 1, 0.01], [1, 1, 1], [0.01, 1, 1]])  # the middle one is tied with both ends
    assert replace(found, p_adjusted=chain).ties == {"a": (0,), "b": (0, 1), "c": (1,)}


def test_an_interval_of_one_system_stays_within_bounds() -> None:
    nearly_perfect = system(same(3, 1500, 0.9999), 1)
    low, high = interval([nearly_perfect], MEASURE)
    assert 0.99 < low <= high <= 1


def scores(
    seed: int, subject: Subject | None = None, ids: tuple[str, ...] = ("a", "b"), frames: int = 900
) -> Scores:
    truth = np.random.default_rng(99).random((88, frames)) < 0.04
    noise = np.random.default_rng(seed).random((88, frames))
    roll = np.where(truth, noise**0.3, noise**6)
    return score_rolls({name: Rolls(truth, roll) for name in ids}, subject)


def test_runs_are_compared_by_their_scores() -> None:
    runs = {"mine": [scores(1)], "x": [scores(2)], "y": [scores(3), scores(4)]}
    standing = compare(runs, Measure())
    found = [standing.compare("mine", other) for other in ("x", "y")]
    mean = np.mean([value(one, Measure()) for one in runs["y"]])
    assert found[1].difference == pytest.approx(value(runs["mine"][0], Measure()) - mean)
    table = comparison_table(found)
    assert {"difference a", "difference b", "verdict"} <= set(table.columns)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"split": "wtc1"}, "found split 'unknown' and 'wtc1'"),
        ({"split_hash": "0f"}, "split_hash"),
        ({"truth": "pressed"}, "truth 'sounding' and 'pressed'"),
        ({"corpus": "asap"}, "corpus"),
        ({"limit": 2}, "limit None and 2"),
    ],
)
def test_runs_over_other_recordings_are_refused(changes: dict, said: str) -> None:
    with pytest.raises(AudeoBenchError, match=f"left and right: .*{said}"):
        compare({"left": [scores(1)], "right": [scores(2, Subject(**changes))]})


def test_other_ways_of_scoring_are_refused() -> None:
    def refused(right: Scores, said: str, measure: Measure = MAIN) -> None:
        with pytest.raises(AudeoBenchError, match=said):
            compare({"left": [scores(1)], "right": [right]}, measure)

    refused(scores(2).model_copy(update={"metric_version": "1"}), "metric version '2' and '1'")
    refused(scores(2).model_copy(update={"block": 250}), "block 500 and 250")
    refused(scores(2, ids=("a", "b", "c")), "only one has c")
    refused(scores(2, frames=901), "other frames or blocks in a")
    refused(scores(2), r"threshold 0\.45", Measure(threshold=0.45))
    refused(scores(2), "metric: found 'f2'", Measure(metric="f2"))
    sums = frame_sums(scores(1), "51")
    with pytest.raises(AudeoBenchError, match="51 keys; compare over 88"):
        pair(sums, sums, Measure())
    with pytest.raises(AudeoBenchError, match="no recordings"):
        pair({}, {}, Measure())
    with pytest.raises(AudeoBenchError, match="different recordings"):
        spread([frame_sums(scores(1)), frame_sums(scores(2, ids=("a",)))], Measure())


def test_another_truth_of_the_same_length_is_noticed() -> None:
    truth = np.zeros((88, 600), bool)
    truth[40] = True
    left = {"a": frame_counts(truth, truth, (0.5,))}
    right = {"a": frame_counts(np.roll(truth, 1, 0) | truth, truth, (0.5,))}
    with pytest.raises(AudeoBenchError, match="another truth in a"):
        pair(left, right)


def test_the_simulation_of_false_alarms(capsys: pytest.CaptureFixture[str]) -> None:
    """A short look; the full table is in docs/notebook/statistics.md."""
    rates = measure_rates(seconds=1.0, frames=2000, trials=60, advantage=0.3)
    assert rates.false_alarms < 0.17
    assert rates.coverage > 0.82
    assert rates.power > 0.5
    main(trials=2, seconds=[1], frames=[1000])
    printed = capsys.readouterr().out
    assert "| 1 s | 3 x 40 s |" in printed
    assert "simulated" in printed
