"""Sound: any number of channels becomes their mean at 16 kHz; damage is a remark or one line."""

from __future__ import annotations

import io
import os
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.sound import RATE, read_sound

quietly = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def noise(seconds: float, channels: int, rate: int = 48_000) -> np.ndarray:
    rng = np.random.default_rng(channels)
    return rng.uniform(-0.5, 0.5, (round(seconds * rate), channels)).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 2, 6, 7, 8, 9, 16, 24, 63, 64])
@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_any_number_of_channels_becomes_their_mean(tmp_path: Path, channels: int, rate: int) -> None:
    sound = noise(0.3, channels, rate)
    soundfile.write(tmp_path / "a.wav", sound, rate, subtype="FLOAT")
    heard = read_sound(tmp_path / "a.wav")
    assert heard.samples.dtype == np.float32
    assert heard.remarks == ()
    if rate == RATE:
        np.testing.assert_allclose(heard.samples, sound.mean(axis=1), atol=1e-6)
    assert abs(len(heard.samples) - 0.3 * RATE) <= 1


@pytest.mark.parametrize(("codec", "name"), [("aac", "a.mp4"), ("flac", "a.mkv"), ("pcm_f32le", "a.mkv")])
def test_the_sound_of_a_film_with_eight_channels(tmp_path: Path, codec: str, name: str) -> None:
    time = np.arange(48_000) / 48_000
    sound = np.tile(0.5 * np.sin(2 * np.pi * 440 * time).astype(np.float32), (8, 1))
    with av.open(str(tmp_path / name), "w") as container:
        stream = container.add_stream(codec, rate=48_000, layout="7.1")
        for start in range(0, 48_000, 4_000):
            packed = np.ascontiguousarray(sound[:, start : start + 4_000].T).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(packed, "flt", "7.1")
            frame.sample_rate, frame.pts = 48_000, start
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    heard = read_sound(tmp_path / name).samples
    middle = heard[4_000:12_000]
    # AAC cuts the tone out of the eighth channel, which is for the lowest frequencies.
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.15)


def mp3(seconds: float = 8) -> bytes:
    time = np.arange(round(seconds * 44_100)) / 44_100
    content = io.BytesIO()
    tone = 0.3 * np.sin(2_000 * time) * (1 + np.sin(3 * time))
    soundfile.write(content, tone, 44_100, format="MP3", subtype="MPEG_LAYER_III")
    return content.getvalue()


def test_a_gap_or_an_end_that_is_missing_is_a_remark(tmp_path: Path) -> None:
    content, path = mp3(), tmp_path / "a.mp3"
    half = len(content) // 2
    path.write_bytes(content[:half] + content[half + 300 :])
    heard = read_sound(path)
    assert 7.8 * RATE < len(heard.samples) <= 8.1 * RATE
    assert "left out" in heard.remarks[0]
    path.write_bytes(content[: len(content) * 3 // 4])
    heard = read_sound(path)
    assert 5.8 * RATE < len(heard.samples) < 6.2 * RATE
    assert heard.remarks[-1].startswith("cut off after ")


def test_channels_that_cancel_are_a_remark(tmp_path: Path) -> None:
    left = noise(0.5, 1)
    soundfile.write(tmp_path / "a.wav", np.hstack([left, -left]), 48_000, subtype="FLOAT")
    heard = read_sound(tmp_path / "a.wav")
    assert np.abs(heard.samples).max() < 1e-6
    assert "cancel" in heard.remarks[0]
    soundfile.write(tmp_path / "a.wav", np.zeros((800, 2)), 48_000)
    assert read_sound(tmp_path / "a.wav").remarks == ()


def wav(sound: np.ndarray, rate: int = 48_000, subtype: str = "FLOAT") -> bytes:
    content = io.BytesIO()
    soundfile.write(content, sound, rate, format="WAV", subtype=subtype)
    return content.getvalue()


ATTACKS = {
    "nan": (wav(np.full((900, 2), np.nan)), "NaN"),
    "infinite": (wav(np.full((900, 2), np.inf)), "NaN, infinite"),
    "loud": (wav(np.full((900, 2), 1e30)), "absurdly large"),
    "one sample a second": (wav(np.zeros(99), rate=1), "1 channels at 1 Hz"),
    "65 channels": (wav(np.zeros((99, 65))), "channels"),
    "text": (b"no sound", ""),
    "empty": (b"", ""),
    "playlist": (b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n/etc/hostname\n", ""),
    "list of files": (b"ffconcat version 1.0\nfile other.wav\n", ""),
    "too long": (wav(np.zeros(4_000 * 60), rate=1_000), "longer than"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_cannot_be_heard_is_one_line(tmp_path: Path, attack: str) -> None:
    content, words = ATTACKS[attack]
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(AudeoBenchError) as refused:
        read_sound(path, longest=60)
    line = str(refused.value)
    assert line.startswith(f"{path}: cannot be read as sound (")
    assert line.endswith("; give a WAV, FLAC or MP3.")
    assert words in line
    assert "\n" not in line


def test_pictures_alone_pipes_and_odd_names(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "silent.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    with pytest.raises(AudeoBenchError, match="it has no sound track"):
        read_sound(tmp_path / "silent.mp4")
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(AudeoBenchError, match="is a pipe"):
        read_sound(tmp_path / "pipe.wav")
    odd = tmp_path / os.fsdecode(b"concat:a|b \xff\x1b.wav")
    odd.write_bytes(wav(noise(0.2, 2)))
    assert len(read_sound(odd).samples) == 3_200


@given(
    data=st.data(),
    whole=st.sampled_from([mp3(0.5), wav(noise(0.1, 3)), wav(noise(0.1, 2), subtype="PCM_16")]),
)
@quietly
def test_a_mutated_file_is_finite_sound_or_one_line(
    tmp_path: Path, data: st.DataObject, whole: bytes
) -> None:
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, min(len(content), 200) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "a.wav"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        heard = read_sound(path)
    except AudeoBenchError as fault:
        assert str(fault).startswith(f"{path}: ")
    else:
        assert np.isfinite(heard.samples).all()
