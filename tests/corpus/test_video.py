"""Video files: what is written comes back, and every bad file is named."""

from __future__ import annotations

import pickle
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audeo_bench.api import AudeoBenchError
from audeo_bench.corpus.video import VideoFrames, write_video

COUNT = 90


def moving_bar() -> np.ndarray:
    """A bright bar that moves 8 pixels a frame over a grey ramp: every frame differs from every other."""
    frames = np.empty((COUNT, 100, 900), np.uint8)
    for index in range(COUNT):
        frames[index] = np.linspace(40, 120, 900)[None].astype(np.uint8)
        frames[index, 20:80, 40 + 8 * index : 80 + 8 * index] = 230
    return frames


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "bar.mp4"
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(COUNT * 640) / 16_000).astype(np.float32)
    write_video(path, moving_bar(), tone)
    return path


def test_round_trip(film: Path) -> None:
    seen = VideoFrames(film)
    assert seen.shape == (COUNT, 100, 900)
    error = np.abs(seen[0:COUNT].astype(int) - moving_bar())
    assert error.mean() < 1.5
    assert error[:, :, ::50].mean() < 1.5


@settings(max_examples=12, deadline=None)
@given(start=st.integers(0, COUNT - 1), length=st.integers(1, 12), first=st.integers(0, COUNT - 1))
def test_any_window_in_any_order_shows_the_same_frames(
    film: Path, start: int, length: int, first: int
) -> None:
    seen = VideoFrames(film)
    seen[first : first + 1]
    window = seen[start : start + length]
    bars = (window[:, 50].astype(int) > 180).argmax(1)
    assert np.abs(bars - (40 + 8 * np.arange(start, min(COUNT, start + length)))).max() <= 2
    seen.close()


def test_sound_lies_beside_the_picture(film: Path) -> None:
    with av.open(str(film)) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
        assert container.streams.audio[0].codec_context.name == "aac"
        assert container.streams.video[0].codec_context.name == "h264"
    assert abs(len(sound) / 16_000 - COUNT / 25) < 0.15
    spectrum = np.abs(np.fft.rfft(sound[8000:24_000]))
    assert abs(int(spectrum.argmax()) - 440) <= 1


def test_other_frame_rates_become_25(tmp_path: Path) -> None:
    write_video(tmp_path / "fast.mp4", moving_bar(), fps=50)
    fast = VideoFrames(tmp_path / "fast.mp4")
    assert len(fast) == COUNT // 2
    bars = (fast[0:10][:, 50].astype(int) > 180).argmax(1)
    assert np.abs(bars - (40 + 16 * np.arange(10))).max() <= 2
    write_video(tmp_path / "slow.mp4", moving_bar()[:20], fps=10)
    slow = VideoFrames(tmp_path / "slow.mp4")
    assert len(slow) == 50
    assert np.array_equal(slow[1:2], slow[0:1])


def test_crop_is_cut_and_enlarged(film: Path) -> None:
    half = VideoFrames(film, crop=(0, 0, 450, 100))[0:1][0]
    assert abs(int((half[50].astype(int) > 180).argmax()) - 80) <= 4


def test_odd_sizes_are_padded(tmp_path: Path) -> None:
    write_video(tmp_path / "odd.mp4", np.full((5, 51, 301), 200, np.uint8))
    odd = VideoFrames(tmp_path / "odd.mp4")
    assert odd.size == (302, 52)
    assert np.abs(odd[0:5].astype(int) - 200).max() <= 2


def test_a_copy_for_another_process_reads_on(film: Path) -> None:
    seen = VideoFrames(film)
    before = seen[40:42]
    assert np.array_equal(pickle.loads(pickle.dumps(seen))[40:42], before)


def test_bad_files_are_named(film: Path, tmp_path: Path) -> None:
    with pytest.raises(AudeoBenchError, match=r"gone\.mp4: no such file"):
        VideoFrames(tmp_path / "gone.mp4")
    (tmp_path / "text.mp4").write_text("no video at all")
    with pytest.raises(AudeoBenchError, match=r"text\.mp4: cannot be read as a video"):
        VideoFrames(tmp_path / "text.mp4")
    (tmp_path / "half.mp4").write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    with pytest.raises(AudeoBenchError, match=r"half\.mp4: .*cut off"):
        VideoFrames(tmp_path / "half.mp4")
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(AudeoBenchError, match=r"sound\.mp4: .*no video stream"):
        VideoFrames(tmp_path / "sound.mp4")


def test_a_film_cut_off_behind_its_index_is_refused(film: Path, tmp_path: Path) -> None:
    """With the index in front, as web files have it, a truncated film still opens."""
    front = tmp_path / "front.mp4"
    with av.open(str(film)) as source, av.open(str(front), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert len(VideoFrames(front)) == COUNT
    (tmp_path / "cut.mp4").write_bytes(front.read_bytes()[: int(front.stat().st_size * 0.6)])
    with pytest.raises(AudeoBenchError, match=r"cut\.mp4: .*cut off"):
        VideoFrames(tmp_path / "cut.mp4")


def test_bad_crop_and_bad_sound(film: Path, tmp_path: Path) -> None:
    with pytest.raises(AudeoBenchError, match="outside of the picture of 900x100"):
        VideoFrames(film, crop=(0, 0, 901, 100))
    with pytest.raises(AudeoBenchError, match="vector of finite samples"):
        write_video(tmp_path / "bad.mp4", moving_bar()[:2], np.array([np.nan], np.float32))
    assert not (tmp_path / "bad.mp4").exists()
    with pytest.raises(AudeoBenchError, match="no frames"):
        write_video(tmp_path / "none.mp4", moving_bar()[:0])
