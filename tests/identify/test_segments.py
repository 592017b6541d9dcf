import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError
from audeo_bench.identify.segments import cut


@given(st.integers(0, 75 * SAMPLE_RATE))
def test_the_last_piece_is_kept_from_12_seconds_on(samples):
    segments = cut(np.zeros(samples, np.float32))
    whole, rest = divmod(samples, 20 * SAMPLE_RATE)
    assert [s.seconds for s in segments[:whole]] == [20.0] * whole
    assert len(segments) == whole + (rest >= 12 * SAMPLE_RATE)
    assert [s.start for s in segments] == [20.0 * index for index in range(len(segments))]


def test_segments_join_up_to_the_recording():
    audio = np.random.default_rng(0).uniform(-1, 1, 55 * SAMPLE_RATE).astype(np.float32)
    joined = np.concatenate([segment.samples for segment in cut(audio)])
    assert np.abs(joined - audio).max() < 1 / 32767


def test_a_segment_is_named_by_its_samples():
    audio = np.round(np.linspace(-32767, 32767, 20 * SAMPLE_RATE)) / 32767
    (segment,) = cut(audio)
    pcm = np.round(audio * 32767).astype("<i2")
    assert segment.sha256 == hashlib.sha256(pcm.tobytes()).hexdigest()
    assert cut(audio + 1e-7)[0].sha256 == segment.sha256
    assert cut(-audio)[0].sha256 != segment.sha256


def test_bad_audio_is_refused():
    with pytest.raises(AudeoBenchError, match=r"wtc2-01.*NaN"):
        cut(np.full(SAMPLE_RATE, np.nan), "wtc2-01")
    with pytest.raises(AudeoBenchError, match="mono"):
        cut(np.zeros((2, SAMPLE_RATE)))
