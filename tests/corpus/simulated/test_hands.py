"""Fingers are where the music needs them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audeo_bench.corpus.simulated.hands import dip, finger, frame_times, split_hands, track
from audeo_bench.keyboard import BLACK_HEIGHT, BLACK_WIDTH, IS_BLACK, KEY_X, WHITE_WIDTH
from audeo_bench.roll import LOWEST_PITCH, Notes


def notes_of(rows: list[tuple[float, float, int]]) -> Notes:
    rows = sorted(rows, key=lambda row: (row[0], row[2]))
    intervals = np.array([row[:2] for row in rows], float).reshape(-1, 2)
    return Notes(intervals, np.array([r[2] for r in rows], np.int64), np.full(len(rows), 80, np.int64))


@st.composite
def playable(draw) -> tuple[Notes, np.ndarray]:
    """Chords of one to four keys within an octave in each hand, one after another."""
    rows: list[tuple[float, float, int, int]] = []
    for hand in (0, 1):
        time, lowest = draw(st.floats(0.5, 2.0)), 36 + 30 * hand
        for _ in range(draw(st.integers(1, 12))):
            base = lowest + draw(st.integers(0, 14))
            chord = draw(st.sets(st.integers(0, 12), min_size=1, max_size=4))
            length = draw(st.floats(0.08, 1.0))
            rows += [(time, time + length, base + step, hand) for step in chord]
            time += length + draw(st.floats(0.02, 3.0))
    rows.sort(key=lambda row: (row[0], row[2]))
    return notes_of([row[:3] for row in rows]), np.array([row[3] for row in rows], np.int8)


@settings(max_examples=40, deadline=None)
@given(playable(), st.integers(0, 1000))
def test_pressing_fingers_are_on_their_keys_and_down(played, seed):
    notes, hands = played
    frames = int(notes.intervals.max() * 25) + 30
    tracks = track(notes, hands, frames, np.random.default_rng(seed))
    times = frame_times(frames)
    assert np.isfinite(tracks.fingertips).all() and np.isfinite(tracks.wrists).all()
    assert np.array_equal(tracks.fingering // 5, hands)
    for note, (onset, offset) in enumerate(notes.intervals):
        at = np.flatnonzero((times >= onset) & (times < offset))
        hand, which = divmod(int(tracks.fingering[note]), 5)
        tip = tracks.fingertips[at, hand, which]
        key = notes.pitches[note] - LOWEST_PITCH
        width = BLACK_WIDTH if IS_BLACK[key] else WHITE_WIDTH
        assert np.all(np.abs(tip[:, 0] - KEY_X[key]) <= width / 2 + 0.5)
        surface = BLACK_HEIGHT if IS_BLACK[key] else 0.0
        np.testing.assert_allclose(tip[:, 2], surface - dip(tip[:, 1]), atol=0.5)


@settings(max_examples=40, deadline=None)
@given(playable())
def test_no_finger_plays_two_keys_at_once(played):
    notes, hands = played
    fingering = finger(notes, hands)
    for one in range(10):
        held = notes.intervals[fingering == one]
        assert np.all(held[:-1, 1] <= held[1:, 0])


def test_idle_fingers_hover_over_the_keys():
    notes = notes_of([(1 + 0.5 * n, 1.4 + 0.5 * n, 60 + 2 * (n % 3)) for n in range(20)])
    tracks = track(notes, np.ones(20, np.int8), 300, np.random.default_rng(0))
    used = np.unique(tracks.fingering % 5)
    idle = [f for f in range(5) if f not in used]
    assert idle
    heights = tracks.fingertips[50:250, 1, idle, 2]
    assert heights.min() > 0 and np.median(heights) < 30


def test_same_seed_same_hands_other_seed_other_hands():
    notes = notes_of([(1.0, 1.5, 60), (1.5, 2.0, 64), (2.0, 2.5, 67)])
    first, again, other = (track(notes, np.ones(3), 100, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.fingertips, again.fingertips)
    assert not np.array_equal(first.fingertips, other.fingertips)


def test_a_hand_leaves_the_keyboard_in_a_long_rest():
    notes = notes_of([(1.0, 1.4, 72), (15.0, 15.4, 72)])
    away = [
        track(notes, np.ones(2, np.int8), 420, np.random.default_rng(s)).fingertips[200, 1, 2, 1] < 0
        for s in range(12)
    ]
    assert any(away)


def test_scale_of_c_is_fingered_with_the_thumb_passing_under():
    scale = [60, 62, 64, 65, 67, 69, 71, 72]
    notes = notes_of([(1 + 0.2 * n, 1.2 + 0.2 * n, pitch) for n, pitch in enumerate(scale)])
    fingers = finger(notes, np.ones(8, np.int8)) - 5
    assert np.sum(np.diff(fingers) < 0) == 1  # one thumb under for the octave


def test_hands_mirror_each_other():
    right = [60, 64, 67]
    left = [64, 60, 57]  # the same white-key intervals downwards
    fingers = [
        finger(notes_of([(1 + n, 1.9 + n, p) for n, p in enumerate(keys)]), np.full(3, hand, np.int8))
        - 5 * hand
        for hand, keys in ((1, right), (0, left))
    ]
    np.testing.assert_array_equal(fingers[0], fingers[1])


def test_split_gives_bass_to_the_left_and_melody_to_the_right():
    rows = [(0.5 * n, 0.5 * n + 0.4, p) for n in range(16) for p in (43 + n % 3, 72 + n % 5)]
    notes = notes_of(rows)
    np.testing.assert_array_equal(split_hands(notes), (notes.pitches > 60).astype(np.int8))


def test_unison_scales_an_octave_apart_use_both_hands():
    rows = [
        (0.3 * n, 0.3 * n + 0.28, p)
        for n, s in enumerate([0, 2, 4, 5, 7, 5, 4, 2] * 3)
        for p in (55 + s, 67 + s)
    ]
    hands = split_hands(notes_of(rows))
    assert hands.mean() == pytest.approx(0.5, abs=0.05)


def test_no_notes_at_all():
    notes = notes_of([])
    tracks = track(notes, split_hands(notes), 10, np.random.default_rng(0))
    assert tracks.fingertips.shape == (10, 2, 5, 3)
    assert tracks.fingering.shape == (0,)
