"""The note metrics are mir_eval's."""

from __future__ import annotations

import warnings

import mir_eval
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audeo_bench.roll import Notes, roll_to_notes
from audeo_bench.score.notes import NOTE_METRICS, note_counts, roll_note_counts


@st.composite
def performances(draw: st.DrawFn) -> Notes:
    """Crowded notes on few pitches, so that many could match several."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(0, 40))
    onsets = np.sort(rng.integers(0, 200, count) / 50)
    durations = rng.choice([0.02, 0.05, 0.3, 1.0], count)
    return Notes(np.stack([onsets, onsets + durations], 1), rng.integers(60, 64, count), np.full(count, 100))


@given(reference=performances(), estimated=performances())
@settings(max_examples=60, deadline=None)
def test_equal_to_mir_eval_on_all_notes_at_once(reference: Notes, estimated: Notes) -> None:
    counts = note_counts(reference, estimated)
    for name, tolerances in NOTE_METRICS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = mir_eval.transcription.precision_recall_f1_overlap(
                reference.intervals,
                mir_eval.util.midi_to_hz(reference.pitches),
                estimated.intervals,
                mir_eval.util.midi_to_hz(estimated.pitches),
                **tolerances,
            )[:3]
        found = counts[name].precision, counts[name].recall, counts[name].f1
        assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("onset", "offset", "met"),
    [
        (1.04, 2.0, {"onset@50", "onset@100", "full@50", "offtol@50"}),
        (1.08, 2.0, {"onset@100"}),
        (1.0, 2.15, {"onset@50", "onset@100", "full@50"}),
        (1.0, 3.0, {"onset@50", "onset@100"}),
        (1.2, 2.0, set()),
    ],
)
def test_what_each_metric_forgives(onset: float, offset: float, met: set[str]) -> None:
    true = Notes(np.array([[1.0, 2.0]]), np.array([60]), np.array([80]))
    found = Notes(np.array([[onset, offset]]), np.array([60]), np.array([80]))
    assert {name for name, count in note_counts(true, found).items() if count.matched} == met


def test_a_true_roll_finds_every_note() -> None:
    roll = np.zeros((88, 100), bool)
    roll[40, 10:30] = roll[44, 12:20] = roll[40, 35:60] = True
    counts = roll_note_counts(roll_to_notes(roll), roll * np.float32(0.4), threshold=0.4)
    assert {
        name: (count.matched, count.reference, count.f1) for name, count in counts.items()
    } == dict.fromkeys(NOTE_METRICS, (3, 3, 1.0))


def test_silence_scores_zero_as_in_mir_eval() -> None:
    silence = roll_to_notes(np.zeros((88, 5), bool))
    count = note_counts(silence, silence)["full@50"]
    assert (count.precision, count.recall, count.f1) == (0.0, 0.0, 0.0)
