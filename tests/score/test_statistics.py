"""Comparisons: their arithmetic, what they refuse, and how they word it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audeo_bench.api import AudeoBenchError
from audeo_bench.score import Measure, Rolls, Scores, Subject, frame_sums, score_rolls, value
from audeo_bench.score.frames import FrameCounts, block_sums, frame_counts
from audeo_bench.score.resampling import drawn_totals, holm, strata, stretched_interval
from audeo_bench.score.statistics import (
    adjust,
    compare_counts,
    compare_with,
    comparison_table,
    interval,
    shared_ranks,
)
from studies.false_alarms import main, measure_rates

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


def test_a_clear_difference_between_few_recordings_is_consistent_not_general() -> None:
    found = compare_counts(system(same(3, 3000, 0.8), 1), system(same(3, 3000, 0.7), 2), MEASURE)
    assert found.verdict == "consistent"
    assert found.low < found.difference < found.high
    assert found.low > 0
    assert found.p < 0.001
    assert found.p_between is None
    assert list(found.recordings) == ["r0", "r1", "r2"]


def test_recordings_that_disagree_make_it_different_here() -> None:
    worse_in_one = {**same(2, 3000, 0.8), "r2": (3000, 0.6)}
    found = compare_counts(system(worse_in_one, 1), system(same(3, 3000, 0.65), 2), MEASURE)
    assert found.verdict == "different here"
    assert found.recordings["r2"] < 0 < found.difference


def test_eight_recordings_can_make_it_general() -> None:
    found = compare_counts(system(same(8, 1500, 0.8), 1), system(same(8, 1500, 0.75), 2), MEASURE)
    assert found.verdict == "general"
    assert found.p_between == pytest.approx(2 / 2**8)


def test_a_system_does_not_differ_from_itself() -> None:
    it = system(same(3, 1200, 0.8), 1)
    found = compare_counts(it, it, MEASURE)
    assert (found.difference, found.low, found.high, found.p) == (0, 0, 0, 1)
    assert found.verdict == "no difference shown"


@pytest.mark.parametrize("average", ["frame_mean", "micro"])
def test_the_swap_test_is_scipys_permutation_test(average: str) -> None:
    """6 blocks: every way of swapping is tried, and the sums of equally long blocks are plain means."""
    left, right = system(same(2, 1500, 0.8), 1), system(same(2, 1500, 0.79), 2)
    measure = Measure("recall", average, threshold=0.5)  # type: ignore[arg-type]
    ours, theirs = (
        np.concatenate([c.recall[0] / c.frames[0] for c in side.values()]) for side in (left, right)
    )
    expected = stats.permutation_test(
        (ours, theirs), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    )
    assert compare_counts(left, right, measure).p == pytest.approx(expected.pvalue)


def test_swapping_at_random_comes_close_to_swapping_every_way() -> None:
    left, right = system(same(1, 6500, 0.8), 1), system(same(1, 6500, 0.795), 2)
    every = compare_counts(left, right, MEASURE, draws=2**13)
    drawn = compare_counts(left, right, MEASURE, draws=2**13 - 1)
    assert drawn.p == pytest.approx(every.p, abs=0.02)
    assert drawn.p != every.p


def test_the_same_seed_gives_the_same_numbers() -> None:
    left, right = system(same(3, 4000, 0.8), 1), system(same(3, 4000, 0.79), 2)
    first, again, other = (compare_counts(left, right, MEASURE, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert (first.low, first.p) != (other.low, other.p)


@given(seed=st.integers(0, 1000), average=st.sampled_from(["frame_mean", "micro"]))
@settings(max_examples=15, deadline=None)
def test_left_and_right_are_alike(seed: int, average: str) -> None:
    left, right = system(same(3, 1700, 0.8), seed), system(same(3, 1700, 0.79), seed + 5000)
    measure = Measure("f1", average, threshold=0.5)  # type: ignore[arg-type]
    one, other = (
        compare_counts(left, right, measure, draws=500),
        compare_counts(right, left, measure, draws=500),
    )
    assert one.difference == -other.difference
    assert one.p == other.p
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-12)


def test_the_interval_of_a_mean_is_students() -> None:
    """For one stratum of many blocks the bootstrap must agree with the textbook interval of a mean."""
    values = np.random.default_rng(0).normal(3, 1, (12, 1))
    drawn = drawn_totals(values, (12,), seed=0, draws=40_000)[:, 0] / 12
    low, high = stretched_interval(drawn, float(values.mean()), (12,))
    expected = stats.t.interval(0.95, 11, values.mean(), stats.sem(values[:, 0]))
    assert (low, high) == pytest.approx(expected, abs=0.05)
    assert drawn.std() == pytest.approx(stats.sem(values[:, 0]), rel=0.03)


def test_a_plain_percentile_bootstrap_covers_less() -> None:
    """Three recordings of four blocks, true mean 0: why the interval is corrected."""
    rng, blocks, trials = np.random.default_rng(0), (4, 4, 4), 1000
    picks = np.concatenate([rng.integers(4, size=(1000, 4)) + 4 * r for r in range(3)], axis=1)
    plain = corrected = 0
    for _ in range(trials):
        values = rng.standard_normal((12, 1))
        low, high = np.quantile(values[picks, 0].mean(1), [0.025, 0.975])
        plain += low <= 0 <= high
        drawn = drawn_totals(values, blocks, seed=0, draws=1000)[:, 0] / 12
        low, high = stretched_interval(drawn, float(values.mean()), blocks)
        corrected += low <= 0 <= high
    print(f"plain {plain / trials:.1%}, corrected {corrected / trials:.1%}")
    assert plain / trials < 0.90
    assert 0.93 < corrected / trials < 0.97


def test_single_blocks_are_drawn_together() -> None:
    assert [s.tolist() for s in strata((3, 1, 2, 1))] == [[4, 5], [0, 1, 2], [3, 6]]
    assert [s.tolist() for s in strata((3, 1, 2))] == [[4, 5, 3], [0, 1, 2]]
    assert [s.tolist() for s in strata((1,))] == [[0]]
    lonely = compare_counts(system(same(1, 400, 0.9), 1), system(same(1, 400, 0.5), 2), MEASURE)
    assert np.isnan([lonely.low, lonely.high]).all()
    assert lonely.p == 1
    short = compare_counts(system(same(3, 400, 0.9), 1), system(same(3, 400, 0.5), 2), MEASURE)
    assert short.low > 0


def test_holm() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []


def test_verdicts_follow_the_adjusted_p() -> None:
    one = compare_counts(system(same(3, 3000, 0.8), 1), system(same(3, 3000, 0.7), 2), MEASURE)
    weak = replace(one, p=0.03)
    assert [c.verdict for c in adjust([weak])] == ["consistent"]
    assert [c.verdict for c in adjust([one, weak, weak])] == [
        "consistent",
        "no difference shown",
        "no difference shown",
    ]


def test_ranks_are_shared_where_the_interval_contains_zero() -> None:
    systems = {
        name: system(same(3, 2500, chance), seed)
        for seed, (name, chance) in enumerate({"c": 0.70, "a": 0.80, "b": 0.80, "d": 0.60}.items())
    }
    ranks = shared_ranks(systems, MEASURE)
    assert {rank.name: rank.rank for rank in ranks} == {"a": 1, "b": 1, "c": 3, "d": 4}
    assert ranks[1].low < 0 < ranks[1].high
    assert [rank.value for rank in ranks] == sorted((rank.value for rank in ranks), reverse=True)


def test_an_interval_of_one_system_stays_within_bounds() -> None:
    nearly_perfect = system(same(3, 1500, 0.9999), 1)
    low, high = interval(nearly_perfect, MEASURE)
    assert 0.99 < low <= high <= 1


def scores(
    seed: int, subject: Subject | None = None, ids: tuple[str, ...] = ("a", "b"), frames: int = 900
) -> Scores:
    truth = np.random.default_rng(99).random((88, frames)) < 0.04
    noise = np.random.default_rng(seed).random((88, frames))
    roll = np.where(truth, noise**0.3, noise**6)
    return score_rolls({name: Rolls(truth, roll) for name in ids}, subject)


def test_several_runs_are_adjusted_together() -> None:
    others = {"x": scores(2), "y": scores(3)}
    found = compare_with("mine", scores(1), others)
    assert [comparison.right for comparison in found] == ["x", "y"]
    assert sorted(c.p_adjusted for c in found) == sorted(holm([c.p for c in found]))
    assert found[0].difference == pytest.approx(value(scores(1), Measure()) - value(others["x"], Measure()))
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
        compare_with("left", scores(1), {"right": scores(2, Subject(**changes))})


def test_other_ways_of_scoring_are_refused() -> None:
    one = scores(1)
    with pytest.raises(AudeoBenchError, match="metric version '1' and '2'"):
        compare_with("left", one, {"right": scores(2).model_copy(update={"metric_version": "2"})})
    with pytest.raises(AudeoBenchError, match="block 500 and 250"):
        compare_with("left", one, {"right": scores(2).model_copy(update={"block": 250})})
    with pytest.raises(AudeoBenchError, match="only one has c"):
        compare_with("left", one, {"right": scores(2, ids=("a", "b", "c"))})
    with pytest.raises(AudeoBenchError, match="other frames or blocks in a"):
        compare_with("left", one, {"right": scores(2, frames=901)})
    with pytest.raises(AudeoBenchError, match=r"threshold 0\.45"):
        compare_with("left", one, {"right": scores(2)}, Measure(threshold=0.45))
    with pytest.raises(AudeoBenchError, match="metric: found 'f2'"):
        compare_with("left", one, {"right": scores(2)}, Measure(metric="f2"))
    with pytest.raises(AudeoBenchError, match="51 keys; compare over 88"):
        compare_counts(frame_sums(one, "51"), frame_sums(one, "51"), Measure())
    with pytest.raises(AudeoBenchError, match="no recordings"):
        compare_counts({}, {}, Measure())


def test_another_truth_of_the_same_length_is_noticed() -> None:
    truth = np.zeros((88, 600), bool)
    truth[40] = True
    left = {"a": frame_counts(truth, truth, (0.5,))}
    right = {"a": frame_counts(np.roll(truth, 1, 0) | truth, truth, (0.5,))}
    with pytest.raises(AudeoBenchError, match="another truth in a"):
        compare_counts(left, right, MEASURE)


def test_the_simulation_of_false_alarms(capsys: pytest.CaptureFixture[str]) -> None:
    """A short look; the full table is in docs/notebook/statistics.md."""
    rates = measure_rates(seconds=1.0, frames=2000, trials=60, draws=500, advantage=0.3)
    assert rates.false_alarms < 0.17
    assert rates.coverage > 0.82
    assert rates.power > 0.5
    main(trials=2, draws=50, seconds=[1], frames=[1000])
    printed = capsys.readouterr().out
    assert "| 1 s | 3 x 40 s |" in printed
    assert "simulated" in printed
