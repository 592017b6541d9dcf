"""Labels find their place in a film by the keys that move."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH, LOWEST_PITCH, Notes
from audeo_bench.corpus.films.alignment import CERTAIN, align, key_levels
from audeo_bench.keyboard import KEY_X, KEYBOARD_WIDTH


def melody(count: int = 60, seed: int = 0) -> Notes:
    rng = np.random.default_rng(seed)
    onsets = np.cumsum(rng.uniform(0.15, 0.6, count))
    lengths = rng.uniform(0.1, 0.5, count)
    pitches = rng.integers(40, 80, count)
    return Notes(np.stack([onsets, onsets + lengths], 1), pitches, np.full(count, 80))


def levels_of(notes: Notes, start: float, rate: float = 1.0, pitch: int = 0, seed: int = 1) -> np.ndarray:
    """Keys of brightness 200 that darken by 25 while they are down; as little noise as a codec leaves."""
    rng = np.random.default_rng(seed)
    seconds = float(notes.intervals.max()) * rate + start + 3
    levels = 200 + rng.normal(0, 0.2, (88, int(seconds * 25)))
    for (onset, offset), key in zip(notes.intervals, notes.pitches - LOWEST_PITCH + pitch, strict=True):
        first, last = (round((start + rate * time) * 25) for time in (onset, offset))
        levels[key, max(first, 0) : max(last, 0)] -= 25
    return levels.astype(np.float32)


@settings(max_examples=12, deadline=None)
@given(st.floats(-4, 15), st.integers(0, 100))
def test_the_start_is_found_wherever_it_lies(start, seed):
    found = align(levels_of(melody(seed=seed), start), melody(seed=seed))
    assert found is not None
    assert found.start_s == pytest.approx(start, abs=0.05)
    assert found.rate == 1.0
    assert found.confidence > 0.5


def test_labels_an_octave_low_are_noticed():
    found = align(levels_of(melody(), 2.0, pitch=12), melody())
    assert found is not None and found.pitch_add == 12


def test_a_clock_that_drifts_is_measured():
    notes = melody(400)
    found = align(levels_of(notes, 3.0, rate=1.002), notes)
    assert found is not None
    assert found.rate == pytest.approx(1.002, abs=2e-4)
    assert found.start_s == pytest.approx(3.0, abs=0.1)


@pytest.mark.parametrize("seed", range(6))
def test_other_labels_are_not_believed(seed):
    found = align(levels_of(melody(seed=seed), 2.0), melody(seed=seed + 11))
    assert found is not None and found.confidence < CERTAIN


def test_a_handful_of_notes_is_too_little():
    assert align(levels_of(melody(5), 1.0), melody(5)) is None


def test_each_key_is_measured_at_its_own_place():
    frames = np.full((3, FRAME_HEIGHT, FRAME_WIDTH), 180, np.uint8)
    place = round(KEY_X[39] / KEYBOARD_WIDTH * FRAME_WIDTH)
    frames[1, 50:80, place - 4 : place + 5] = 100
    levels = key_levels(frames)
    assert levels.shape == (88, 3)
    changed = np.flatnonzero(np.abs(levels[:, 1] - levels[:, 0]) > 20)
    assert changed.tolist() == [39]
