"""Films that the benchmark writes: picture and sound come back."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from audeo_bench.api import AudeoBenchError
from audeo_bench.film.reading import FilmFrames
from audeo_bench.film.writing import write_video

COUNT = 60


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
    seen = FilmFrames(film)
    assert seen.shape == (COUNT, 100, 900)
    error = np.abs(seen[:].astype(int) - moving_bar())
    assert error.mean() < 1.5
    assert error[:, :, ::50].mean() < 1.5


def test_sound_lies_beside_the_picture(film: Path) -> None:
    with av.open(str(film)) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
        assert container.streams.audio[0].codec_context.name == "aac"
        assert container.streams.video[0].codec_context.name == "h264"
    assert abs(len(sound) / 16_000 - COUNT / 25) < 0.15
    spectrum = np.abs(np.fft.rfft(sound[8000:24_000]))
    assert abs(int(spectrum.argmax()) - 440) <= 1


def test_rates_and_odd_sizes(tmp_path: Path) -> None:
    write_video(tmp_path / "fast.mp4", moving_bar(), fps=50)
    assert len(FilmFrames(tmp_path / "fast.mp4")) == COUNT // 2
    write_video(tmp_path / "odd.mp4", np.full((5, 51, 301), 200, np.uint8))
    odd = FilmFrames(tmp_path / "odd.mp4")
    assert odd.size == (302, 52)
    assert np.abs(odd[:].astype(int) - 200).max() <= 2


def test_bad_pictures_and_bad_sound(tmp_path: Path) -> None:
    with pytest.raises(AudeoBenchError, match="vector of finite samples"):
        write_video(tmp_path / "bad.mp4", moving_bar()[:2], np.array([np.nan], np.float32))
    assert not (tmp_path / "bad.mp4").exists()
    with pytest.raises(AudeoBenchError, match="no frames"):
        write_video(tmp_path / "none.mp4", moving_bar()[:0])
