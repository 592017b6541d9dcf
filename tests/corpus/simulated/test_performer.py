"""A performance is playable, sane, and the same for the same seed."""

from types import SimpleNamespace

import numpy as np
import pytest

from audeo_bench.corpus.simulated.composer import compose
from audeo_bench.corpus.simulated.fingering import finger
from audeo_bench.corpus.simulated.performer import BACH, ROMANTIC, perform


def little_piece(seed: int = 0, beats: int = 32, voices: int = 3, articulation: float = 0.8):
    """Random voices in eighths, with the fields of composer.Piece that a performer reads."""
    rng = np.random.default_rng(seed)
    onsets = np.tile(np.arange(0, beats, 0.5), voices)
    voice = np.repeat(np.arange(voices), 2 * beats)
    return SimpleNamespace(
        onsets=onsets,
        durations=np.full(len(onsets), 0.5),
        pitches=74 - 14 * voice + rng.integers(-6, 7, len(onsets)),
        voices=voice,
        tempo=80.0,
        beats_per_bar=4,
        cadences=np.array([16.0, float(beats)]),
        articulation=articulation,
    )


@pytest.mark.parametrize("style", [BACH, ROMANTIC])
@pytest.mark.parametrize("voices", [1, 2, 3, 4])
def test_performance_is_sane(style, voices):
    performance = perform(little_piece(voices=voices), np.random.default_rng(1), style)
    notes = performance.notes
    onsets, offsets = notes.intervals.T
    assert len(notes) > 60 * voices * 0.7
    assert np.all(onsets >= 0) and np.all(onsets < offsets)
    assert np.all(np.diff(onsets) >= 0)
    assert notes.velocities.min() >= 1 and notes.velocities.max() <= 127
    assert performance.hands.shape == (len(notes),) and set(performance.hands) <= {0, 1}
    assert 1.5 < performance.seconds - offsets.max() < 2.5
    for pitch in np.unique(notes.pitches):
        one_key = notes.intervals[notes.pitches == pitch]
        assert np.all(one_key[:-1, 1] < one_key[1:, 0])


def test_same_seed_same_performance_other_seed_another():
    first, again, other = (perform(little_piece(), np.random.default_rng(seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.notes.intervals, again.notes.intervals)
    np.testing.assert_array_equal(first.notes.velocities, again.notes.velocities)
    assert not np.array_equal(first.notes.intervals, other.notes.intervals)


@pytest.mark.parametrize("number", [1, 5, 8])
def test_performed_pieces_can_be_held_by_ten_fingers(number):
    performance = perform(compose(1, number), np.random.default_rng(2))
    fingering = finger(performance.notes, performance.hands)
    clashes = 0
    for one in range(10):
        held = performance.notes.intervals[fingering == one]
        clashes += int(np.sum(held[:-1, 1] > held[1:, 0]))
    assert clashes <= 0.002 * len(performance.notes)


def test_two_voices_belong_to_two_hands():
    performance = perform(little_piece(voices=2), np.random.default_rng(0))
    assert np.mean(performance.notes.pitches[performance.hands == 1]) > 70
    assert np.mean(performance.notes.pitches[performance.hands == 0]) < 64


def test_staccato_is_short_and_legato_long():
    staccato, legato = (
        np.median(
            np.diff(perform(little_piece(articulation=a), np.random.default_rng(0)).notes.intervals, axis=1)
        )
        for a in (0.0, 1.0)
    )
    assert staccato < 0.6 * legato


def test_tempo_and_final_slowing():
    piece = little_piece(voices=1)
    onsets = perform(piece, np.random.default_rng(0)).notes.intervals[:, 0]
    between = np.diff(onsets)
    assert np.median(between) == pytest.approx(60 / 80 / 2, rel=0.12)
    assert between[-3:].mean() > 1.08 * np.median(between)


def test_romantic_style_pedals_more():
    bach, romantic = (
        perform(little_piece(), np.random.default_rng(0), style).pedal for style in (BACH, ROMANTIC)
    )
    assert len(romantic) > len(bach)
    assert np.all(romantic[:, 0] < romantic[:, 1]) and np.all(romantic[:-1, 1] <= romantic[1:, 0] + 1e-9)


def test_unison_of_two_voices_is_one_press():
    piece = little_piece(voices=2)
    piece.pitches[:] = 60
    assert len(perform(piece, np.random.default_rng(0)).notes) == 64
