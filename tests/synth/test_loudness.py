import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from audeo_bench.api import SAMPLE_RATE
from audeo_bench.synth.loudness import LevelMeter, at_level, limited


def tone(seconds: float, loud: float) -> np.ndarray:
    return loud * np.sin(2 * np.pi * 440 * np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE)


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def test_one_chord_does_not_push_the_rest_down():
    music = tone(60, 0.1)
    chord = music.copy()
    chord[30 * SAMPLE_RATE : 31 * SAMPLE_RATE] *= 20
    alone, beside = at_level(music), at_level(chord)
    first = slice(0, 29 * SAMPLE_RATE)
    assert 20 * np.log10(rms(alone[first]) / rms(beside[first])) < 0.1
    assert np.abs(beside).max() <= 1


@given(st.floats(1e-3, 10))
def test_the_level_does_not_depend_on_the_gain_before(gain):
    samples = tone(2, 1)
    np.testing.assert_allclose(at_level(gain * samples), at_level(samples), atol=1e-5)


def test_what_fits_is_left_as_it_is_and_silence_stays_silent():
    samples = tone(1, 0.89).astype(np.float32)
    np.testing.assert_array_equal(limited(samples), samples)
    assert not at_level(np.zeros(SAMPLE_RATE, np.float32)).any()
    assert at_level(np.zeros(0, np.float32)).shape == (0,)


def test_blocks_measure_as_the_whole_does():
    samples = np.concatenate([tone(4, 0.1), tone(4, 0.5)])
    whole, parts = LevelMeter(), LevelMeter()
    whole.add(samples)
    for part in np.split(samples, 4):
        parts.add(part)
    assert np.isclose(whole.gain, parts.gain, rtol=1e-6)
