"""Rolls and notes turn into each other without loss."""

from __future__ import annotations

import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audeo_bench.api import AudeoBenchError
from audeo_bench.roll import Notes, notes_to_roll, roll_to_notes


def notes(*rows: tuple[float, float, int]) -> Notes:
    """(onset, offset, pitch) rows as Notes of velocity 100."""
    table = np.array(rows, float).reshape(-1, 3)
    return Notes(table[:, :2], table[:, 2].astype(np.int64), np.full(len(table), 100))


@st.composite
def rolls(draw: st.DrawFn) -> np.ndarray:
    """Random (88, T) bool rolls, from silent to dense, at random places of a long recording."""
    seed, frames = draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 200))
    lead = draw(st.sampled_from([0, 1, 1000, 99_991]))
    density = draw(st.sampled_from([0.0, 0.02, 0.5, 1.0]))
    roll = np.random.default_rng(seed).random((88, frames)) < density
    return np.concatenate([np.zeros((88, lead), bool), roll], axis=1)


@given(rolls())
@settings(max_examples=40, deadline=None)
def test_a_roll_survives_becoming_notes(roll: np.ndarray) -> None:
    assert np.array_equal(notes_to_roll(roll_to_notes(roll), roll.shape[1]), roll)


def test_every_frame_boundary_is_met_exactly() -> None:
    """k/25 times 25 is not always k in floats; no onset may slip a frame."""
    for frame in range(20_000):
        roll = (
            notes_to_roll(notes((frame / 25, (frame + 1) / 25, 60)), frame + 2) if frame % 97 == 0 else None
        )
        assert roll is None or np.flatnonzero(roll[39]).tolist() == [frame]
    times = np.arange(100_000) * 0.04
    assert np.array_equal(np.floor(times * 25 + 1e-4), np.arange(100_000))


def test_notes_are_sorted_by_onset_then_pitch() -> None:
    roll = np.zeros((88, 10), bool)
    roll[40, 2:4] = roll[39, 2:6] = roll[50, 0:1] = True
    found = roll_to_notes(roll, velocity=64)
    assert found.pitches.tolist() == [71, 60, 61]
    # Between the middles of the frames where they turn on and off.
    assert found.intervals.round(9).tolist() == [[0.02, 0.06], [0.1, 0.26], [0.1, 0.18]]
    assert found.velocities.tolist() == [64, 64, 64]


def test_a_note_shorter_than_a_frame_gets_its_onsets_frame() -> None:
    assert np.flatnonzero(notes_to_roll(notes((0.09, 0.10, 21)), 5)[0]).tolist() == [2]


def test_touching_notes_of_one_pitch_merge_and_a_gap_of_a_frame_stays() -> None:
    assert np.flatnonzero(notes_to_roll(notes((0.0, 0.08, 21), (0.08, 0.2, 21)), 6)[0]).tolist() == [
        0,
        1,
        2,
        3,
        4,
    ]
    assert np.flatnonzero(notes_to_roll(notes((0.0, 0.08, 21), (0.12, 0.2, 21)), 6)[0]).tolist() == [
        0,
        1,
        3,
        4,
    ]


def test_what_lies_beyond_the_roll_is_cut() -> None:
    roll = notes_to_roll(notes((0.1, 9.0, 108), (5.0, 6.0, 60)), 4)
    assert roll[87].tolist() == [False, False, True, True]
    assert roll.sum() == 2
    assert notes_to_roll(notes((0.1, 9.0, 108)), 0).shape == (88, 0)


def test_a_roll_agrees_with_pretty_midi_where_no_note_is_short() -> None:
    rng = np.random.default_rng(5)
    onsets = rng.uniform(0, 30, 300)
    played = notes(*zip(onsets, onsets + rng.uniform(0.05, 2, 300), rng.integers(21, 109, 300), strict=True))
    midi = pretty_midi.PrettyMIDI()
    midi.instruments.append(pretty_midi.Instrument(0))
    midi.instruments[0].notes = [
        pretty_midi.Note(100, int(pitch), *interval)
        for interval, pitch in zip(played.intervals.tolist(), played.pitches, strict=True)
    ]
    theirs = midi.get_piano_roll(fs=25)[21:109] > 0
    assert np.array_equal(notes_to_roll(played, theirs.shape[1]), theirs)


def test_probabilities_are_refused_as_a_roll() -> None:
    with pytest.raises(AudeoBenchError, match=r"roll >= 0\.4"):
        roll_to_notes(np.zeros((88, 5)))
