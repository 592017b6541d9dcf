"""The frame metrics equal the golden numbers, scikit-learn and mir_eval."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support

from audeo_bench.api import AudeoBenchError
from audeo_bench.roll import LOWEST_PITCH, PAPER_KEYS
from audeo_bench.score.frames import BLOCK, KEY_RANGES, METRICS, KeyRange, average, frame_counts, join

GOLDEN = Path(__file__).parents[1] / "golden"
THRESHOLDS = (0.3, 0.4, 0.5)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A truth and probabilities of any density, silent stretches and wholly silent rolls included."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frames = draw(st.integers(1, 60))
    truth = rng.random((88, frames)) < draw(st.sampled_from([0.0, 0.01, 0.05, 0.5, 1.0]))
    truth &= rng.random(frames) < draw(st.sampled_from([0.5, 1.0]))
    probabilities = rng.random((88, frames)) * draw(st.sampled_from([0.0, 0.31, 0.45, 1.0]))
    probabilities *= rng.random(frames) < draw(st.sampled_from([0.5, 1.0]))
    # Coarse values often lie exactly on a threshold.
    return truth, np.round(probabilities, 1).astype(draw(st.sampled_from([np.float32, np.float64])))


def by_sklearn(truth: np.ndarray, predicted: np.ndarray) -> list[float]:
    """What the authors' release computes; rolls frames first."""
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, predicted, average="samples", zero_division=1
    )
    both, either = (truth & predicted).sum(1), (truth | predicted).sum(1)
    accuracy = np.where(either > 0, both / np.maximum(either, 1), 1).mean()
    return [precision, recall, accuracy, f1]


def by_mir_eval(truth: np.ndarray, predicted: np.ndarray, lowest: int) -> list[float]:
    """Rolls frames first; ``lowest`` is the MIDI number of the first key."""

    def frequencies(roll: np.ndarray) -> list[np.ndarray]:
        return [mir_eval.util.midi_to_hz(np.flatnonzero(frame) + lowest) for frame in roll]

    times = np.arange(len(truth)) / 25
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mir_eval.multipitch.metrics(times, frequencies(truth), times, frequencies(predicted))[:3]


@pytest.mark.parametrize(("keys", "golden_name"), [("88", "all_88_keys"), ("51", "keys_15_to_65")])
def test_golden_numbers(keys: KeyRange, golden_name: str) -> None:
    golden = json.loads((GOLDEN / "frame_metrics.json").read_text())
    with np.load(GOLDEN / "frame_metrics.npz", allow_pickle=False) as rolls:
        counts = frame_counts(rolls["labels"].T, rolls["probabilities"].T, THRESHOLDS, keys)
    for row, threshold in enumerate(THRESHOLDS):
        expected = golden[f"{golden_name} threshold {threshold}"]
        for name in METRICS:
            found = getattr(average(counts, "frame_mean"), name)[row]
            assert found == pytest.approx(expected["frame_average"][name], abs=1e-9)
        for name in ("precision", "recall", "accuracy"):
            found = getattr(average(counts, "micro"), name)[row]
            assert found == pytest.approx(expected["mir_eval_multipitch"][name.title()], abs=1e-9)


@given(scene=scenes(), keys=st.sampled_from(KEY_RANGES), block=st.sampled_from([1, 7, 500]))
@settings(max_examples=60, deadline=None)
def test_equal_to_sklearn_and_mir_eval(
    scene: tuple[np.ndarray, np.ndarray], keys: KeyRange, block: int
) -> None:
    truth, probabilities = scene
    counts = frame_counts(truth, probabilities, THRESHOLDS, keys, block)
    scored = PAPER_KEYS if keys == "51" else slice(0, 88)
    for row, threshold in enumerate(THRESHOLDS):
        rolls = truth[scored].T, (probabilities >= threshold)[scored].T
        mean, summed = average(counts, "frame_mean"), average(counts, "micro")
        found = [getattr(mean, name)[row] for name in METRICS]
        assert found == pytest.approx(by_sklearn(*rolls), abs=1e-9)
        expected = by_mir_eval(*rolls, lowest=LOWEST_PITCH + scored.start)
        assert [summed.precision[row], summed.recall[row], summed.accuracy[row]] == pytest.approx(
            expected, abs=1e-9
        )


@given(scene=scenes(), cut=st.integers(0, 60))
@settings(max_examples=30, deadline=None)
def test_two_recordings_joined_score_as_one(scene: tuple[np.ndarray, np.ndarray], cut: int) -> None:
    truth, probabilities = scene
    cut = min(max(cut, 1), truth.shape[1])
    parts = [slice(0, cut), slice(cut, None)] if cut < truth.shape[1] else [slice(0, cut)]
    joined = join([frame_counts(truth[:, part], probabilities[:, part], THRESHOLDS) for part in parts])
    whole = frame_counts(truth, probabilities, THRESHOLDS)
    for kind in ("frame_mean", "micro"):
        for name in METRICS:
            expected = getattr(average(whole, kind), name)
            assert getattr(average(joined, kind), name) == pytest.approx(expected, abs=1e-12)


def test_the_last_block_is_kept_short() -> None:
    rng = np.random.default_rng(0)
    counts = frame_counts(rng.random((88, 1250)) < 0.05, rng.random((88, 1250)), (0.5,))
    assert counts.frames.tolist() == [[BLOCK, BLOCK, 250]]
    first = frame_counts(rng.random((88, 3)) < 2, np.ones((88, 3)), (0.5,))
    assert (first.tp.tolist(), first.fp.tolist(), first.fn.tolist()) == ([[264]], [[0]], [[0]])


def test_weights_count_a_block_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    counts = frame_counts(rng.random((88, 40)) < 0.05, rng.random((88, 40)), (0.9,), block=10)
    twice = average(join([counts, counts.at(0.9)]))
    assert average(counts, weights=np.full((3, 4), 2.0)).f1 == pytest.approx(np.tile(twice.f1, (3, 1)))
    only_second = frame_counts(*_second_block(), (0.9,))
    assert average(counts, weights=np.array([0, 1, 0, 0])).f1 == pytest.approx(average(only_second).f1)


def _second_block() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return (rng.random((88, 40)) < 0.05)[:, 10:20], rng.random((88, 40))[:, 10:20]


def test_a_threshold_is_met_in_the_rolls_own_type() -> None:
    """float32(0.7) is below 0.7, yet a model that answers 0.7 means 0.7."""
    on = np.full((88, 1), 0.7, np.float32)
    assert frame_counts(on > 0, on, (0.7,)).tp.sum() == 88
    assert frame_counts(on > 0, on, np.array([0.7])).tp.sum() == 88  # type: ignore[arg-type]


TRUTH, ROLL = np.zeros((88, 4), bool), np.zeros((88, 4), np.float32)


@pytest.mark.parametrize(
    ("truth", "roll", "said"),
    [
        (TRUTH, ROLL[:, :3], "3 frames of probabilities for 4 of truth"),
        (TRUTH[:51], ROLL[:51], r"truth of shape \(51, 4\)"),
        (TRUTH[:, :0], ROLL[:, :0], r"truth of shape \(88, 0\)"),
        (TRUTH, ROLL + np.nan, "NaN in 352 cells"),
        (TRUTH, ROLL - 3, "values from -3 to -3"),
        (TRUTH, ROLL + 1.5, "sigmoid them"),
        (TRUTH, ROLL + np.inf, "to inf"),
        (TRUTH + 0.25, ROLL, "neither on nor off"),
        (TRUTH, ROLL.astype(object), "type object"),
    ],
)
def test_what_cannot_be_scored_is_named(truth: np.ndarray, roll: np.ndarray, said: str) -> None:
    with pytest.raises(AudeoBenchError, match=f"wtc2-01: .*{said}"):
        frame_counts(truth, roll, (0.4,), name="wtc2-01")


@pytest.mark.parametrize("thresholds", [(), (0.0,), (1.1,), (0.4, 0.4), (float("nan"),)])
def test_thresholds_out_of_range(thresholds: tuple[float, ...]) -> None:
    with pytest.raises(AudeoBenchError, match="thresholds"):
        frame_counts(TRUTH, ROLL, thresholds)


def test_what_was_not_scored_is_named() -> None:
    counts = frame_counts(TRUTH, ROLL, (0.4,))
    with pytest.raises(AudeoBenchError, match=r"threshold 0\.5"):
        counts.at(0.5)
    with pytest.raises(AudeoBenchError, match="average"):
        average(counts, "macro")  # type: ignore[arg-type]
    with pytest.raises(AudeoBenchError, match="keys"):
        frame_counts(TRUTH, ROLL, (0.4,), keys="61")  # type: ignore[arg-type]
    with pytest.raises(AudeoBenchError, match="join"):
        join([counts, frame_counts(TRUTH, ROLL, (0.4,), keys="51")])


def test_velocity_like_labels_are_on_above_zero() -> None:
    velocities = np.zeros((88, 4))
    velocities[40] = 77
    assert frame_counts(velocities, ROLL, (0.4,)).fn.tolist() == [[4]]
