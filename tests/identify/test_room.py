"""What lies between a sound and an offline listener."""

import numpy as np
import pytest

from audeo_bench.api import SAMPLE_RATE
from audeo_bench.identify.room import SIGNAL_TO_NOISE, coded, through_room
from audeo_bench.identify.segments import cut

SECONDS = 20


def tone(hertz: float, seconds: int = SECONDS) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(seconds * SAMPLE_RATE) / SAMPLE_RATE)


def heard(samples: np.ndarray, recording: str, index: int = 0) -> np.ndarray:
    return through_room(cut(samples, recording=recording)[index])


def test_a_place_has_one_room_whoever_plays_there():
    silence = np.zeros(2 * SECONDS * SAMPLE_RATE)
    first = heard(silence, "wtc2-01").copy()
    through_room.cache_clear()
    assert np.array_equal(heard(silence, "wtc2-01"), first)
    assert not np.array_equal(heard(silence, "wtc2-01", index=1), first)
    assert not np.array_equal(heard(silence, "wtc2-02"), first)


@pytest.mark.parametrize("recording", ["wtc2-01", "wtc2-02", "wtc2-03"])
def test_music_is_heard_over_noise_however_loud_it_was_played(recording):
    spectrum = np.abs(np.fft.rfft(heard(tone(1000), recording))) ** 2
    place = 1000 * SECONDS
    music = spectrum[place - 20 : place + 21].sum()
    low, high = SIGNAL_TO_NOISE
    assert low - 1 < 10 * np.log10(music / (spectrum.sum() - music)) < high + 1
    assert np.abs(heard(0.1 * tone(1000), recording)).max() == pytest.approx(
        np.abs(heard(tone(1000), recording)).max(), rel=0.05
    )


def test_a_note_rings_on_in_the_room():
    burst = np.where(np.arange(SECONDS * SAMPLE_RATE) < SAMPLE_RATE, tone(1000), 0)
    sound = heard(burst, "wtc2-01")
    moments = [sound[int(start * SAMPLE_RATE) :][: SAMPLE_RATE // 10] for start in (1.05, 10.0)]
    (after, later) = (abs(np.fft.rfft(part))[100] for part in moments)
    assert after > 5 * later


def test_the_codec_loses_something_and_no_time():
    rng = np.random.default_rng(0)
    noise = 0.1 * rng.standard_normal(SAMPLE_RATE).astype(np.float32)
    sound = np.concatenate([np.zeros(SAMPLE_RATE, np.float32), noise])
    found = coded(sound)
    assert found.shape == sound.shape and found.dtype == np.float32
    assert 0.01 < np.abs(found - sound).std() < 0.1
    assert np.abs(found[: SAMPLE_RATE - 1000]).max() < 1e-3
