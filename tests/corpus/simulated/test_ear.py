"""The simulated ear, stage by stage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audeo_bench.corpus.simulated import ear
from audeo_bench.corpus.simulated.ear import audible_seconds, err, hold_with_pedal, listen
from audeo_bench.roll import Notes

NO_PEDAL = np.zeros((0, 2))


def notes_of(*rows: tuple[float, float, int, int]) -> Notes:
    table = np.array(rows, float).reshape(-1, 4)
    return Notes(table[:, :2], table[:, 2].astype(np.int64), table[:, 3].astype(np.int64))


def many_notes(count: int, velocity: int = 70, length: float = 0.3, pitches: int = 12) -> Notes:
    """One note every half second, going round a few keys."""
    onsets = 0.5 * np.arange(count)
    return Notes(
        np.stack([onsets, onsets + length], axis=1),
        60 + np.arange(count) % pitches,
        np.full(count, velocity, np.int64),
    )


@st.composite
def performances(draw: st.DrawFn) -> tuple[Notes, np.ndarray, float]:
    """Notes as a performer hands them over: sorted, no key struck while it is down; pedal in order."""
    rows = []
    for pitch in draw(st.lists(st.integers(21, 108), min_size=1, max_size=6, unique=True)):
        edges = draw(st.lists(st.floats(0, 20), min_size=2, max_size=8, unique=True))
        edges = sorted(edges)[: len(edges) // 2 * 2]
        rows += [
            (on, off, pitch, draw(st.integers(1, 127)))
            for on, off in zip(edges[::2], edges[1::2], strict=True)
            if off - on > 0.01
        ]
    changes = sorted(draw(st.lists(st.floats(0, 20), max_size=6, unique=True)))
    pedal = np.array(changes[: len(changes) // 2 * 2]).reshape(-1, 2)
    return notes_of(*sorted(rows, key=lambda row: (row[0], row[2]))), pedal, draw(st.floats(5, 30))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(performances(), st.integers(0, 2**32 - 1))
def test_whatever_is_played_a_transcriber_writes_proper_notes(performance, seed):
    notes, pedal, seconds = performance
    heard = listen(notes, pedal, np.random.default_rng(seed), seconds)
    onsets, offsets = heard.intervals[:, 0], heard.intervals[:, 1]
    assert np.all((onsets >= 0) & (offsets <= seconds) & (offsets - onsets >= ear.SHORTEST - 1e-6))
    assert list(zip(onsets, heard.pitches, strict=True)) == sorted(zip(onsets, heard.pitches, strict=True))
    assert set(heard.pitches) <= set(notes.pitches)
    assert np.all((heard.velocities >= 1) & (heard.velocities <= 127))
    for pitch in set(heard.pitches):
        same = heard.pitches == pitch
        assert np.all(onsets[same][1:] >= offsets[same][:-1])


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(performances())
def test_strings_stop_no_later_than_they_are_struck_again_or_fade(performance):
    notes, pedal, _ = performance
    stops = hold_with_pedal(notes, pedal)
    assert np.all(stops <= notes.intervals[:, 0] + audible_seconds(notes.pitches, notes.velocities) + 1e-9)
    for index in range(len(notes)):
        later = (notes.pitches == notes.pitches[index]) & (notes.intervals[:, 0] > notes.intervals[index, 0])
        assert stops[index] <= notes.intervals[later, 0].min(initial=np.inf)


def test_low_and_loud_strings_ring_longer():
    seconds = audible_seconds(np.arange(21, 109), np.full(88, 64))
    assert np.all(np.diff(seconds) < 0)
    assert seconds[0] > 10
    assert 1 < seconds[-1] < 3
    assert (
        audible_seconds(np.array([60]), np.array([110]))[0]
        > audible_seconds(np.array([60]), np.array([30]))[0]
    )


@pytest.mark.parametrize(
    ("pedal", "stop"),
    [
        (NO_PEDAL, 1.0),  # the damper
        ([[0.5, 2.0]], 2.0),  # the pedal
        ([[0.0, 0.9]], 1.0),  # a pedal that came up before the key
        ([[1.2, 2.0]], 1.0),  # a pedal that came too late
        ([[0.1, 0.2], [0.8, 1.5], [1.6, 9.0]], 1.5),  # the one that was down when the key came up
    ],
)
def test_the_pedal_holds_what_is_sounding_when_the_key_comes_up(pedal, stop):
    notes = notes_of((0.0, 1.0, 60, 80))
    pedal = np.array(pedal, float).reshape(-1, 2)
    assert hold_with_pedal(notes, pedal)[0] == pytest.approx(stop + ear.RELEASE_SECONDS)


def test_a_string_dies_away_under_the_pedal_and_under_a_held_key():
    notes = notes_of((0.0, 0.5, 100, 60), (0.0, 20.0, 100 - 12, 60))
    stops = hold_with_pedal(notes, np.array([[0.0, 30.0]]))
    np.testing.assert_allclose(stops, audible_seconds(notes.pitches, notes.velocities))


def test_errors_come_at_the_stated_rates():
    notes = many_notes(4000, velocity=64)
    heard = err(notes, np.random.default_rng(1))
    # Every onset is half a second from its neighbours, so the note it came from is the nearest.
    source = np.rint(heard.intervals[:, 0] / 0.5).astype(int)
    true = heard.pitches == notes.pitches[np.clip(source, 0, len(notes) - 1)]
    assert 1 - true.sum() / len(notes) == pytest.approx(ear.MISSED, rel=0.6)
    jitter = heard.intervals[true, 0] - 0.5 * source[true]
    assert jitter.std() == pytest.approx(ear.ONSET_JITTER, rel=0.1)
    assert abs(jitter.mean()) < 0.002


def test_invented_notes_are_octaves_and_fifths_among_the_keys_of_the_piece():
    low_and_octave = notes_of(*[(0.5 * i, 0.5 * i + 0.3, (48, 60, 64)[i % 3], 90) for i in range(3000)])
    heard = err(low_and_octave, np.random.default_rng(2))
    source = np.rint(heard.intervals[:, 0] / 0.5).astype(int).clip(0, 2999)
    invented = heard.pitches != low_and_octave.pitches[source]
    assert 0.002 < invented.mean() < 0.03
    steps = heard.pitches[invented] - low_and_octave.pitches[source[invented]]
    assert set(steps) <= set(ear.SPURIOUS_STEPS)
    assert set(heard.pitches) == {48, 60, 64}


@pytest.mark.parametrize(
    ("hard", "easy"),
    [
        (many_notes(3000, velocity=25), many_notes(3000, velocity=100)),
        (many_notes(3000, length=0.04), many_notes(3000, length=0.4)),
    ],
    ids=["soft", "short"],
)
def test_soft_and_short_notes_are_missed_more_often(hard, easy):
    def missed(notes: Notes) -> int:
        return len(notes) - len(err(notes, np.random.default_rng(3)))

    assert missed(hard) > 1.5 * max(missed(easy), 1)


def test_crowded_and_masked_notes_are_missed_more_often():
    chords = notes_of(
        *[(0.5 * i, 0.5 * i + 0.3, pitch, 64) for i in range(1000) for pitch in (48, 53, 57, 62, 65)]
    )
    alone = many_notes(5000)
    masked = notes_of(*[(0.5 * i, 0.5 * i + 0.3, p, v) for i in range(1000) for p, v in ((48, 90), (60, 50))])
    rng = np.random.default_rng(4)
    crowded_share, alone_share = len(err(chords, rng)) / len(chords), len(err(alone, rng)) / len(alone)
    upper = np.sum(err(masked, rng).pitches == 60)
    lower = np.sum(err(masked, rng).pitches == 48)
    assert crowded_share < alone_share - 0.02
    assert upper < lower - 30


def test_the_notes_of_a_chord_err_together():
    chords = notes_of(*[(0.5 * i, 0.5 * i + 0.3, pitch, 90) for i in range(2000) for pitch in (50, 57)])
    heard = err(chords, np.random.default_rng(5))
    place = np.rint(heard.intervals[:, 0] / 0.5).astype(int)
    error = heard.intervals[:, 0] - 0.5 * place
    low = dict(zip(place[heard.pitches == 50], error[heard.pitches == 50], strict=True))
    high = dict(zip(place[heard.pitches == 57], error[heard.pitches == 57], strict=True))
    both = sorted(low.keys() & high.keys())
    correlation = np.corrcoef([low[i] for i in both], [high[i] for i in both])[0, 1]
    assert correlation == pytest.approx(0.36, abs=0.1)


def test_the_same_seed_hears_the_same_and_another_does_not():
    notes, pedal = many_notes(50), np.array([[0.0, 10.0]])
    first, again, other = (listen(notes, pedal, np.random.default_rng(seed), 30.0) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.intervals, again.intervals)
    assert first.intervals.shape != other.intervals.shape or not np.allclose(first.intervals, other.intervals)


def test_silence_is_heard_as_silence():
    assert len(listen(notes_of(), NO_PEDAL, np.random.default_rng(0), 5.0)) == 0
