"""A film that is given a new sound stays the film that it was."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numbered_films import numbers, write_film

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError
from audeo_bench.film.reading import FilmFrames, film_info
from audeo_bench.perform.outputs import Outputs
from audeo_bench.perform.sound_files import Sound, held
from audeo_bench.perform.soundtrack import check_output, write_soundtrack

UPRIGHT = [0, 65536, 0, -65536, 0, 0, 0, 0, 2**30]
JITTERED = [0, 33, 34, 67, 100, 101, 102, 190, 230, *range(240, 1000, 33)]
FILMS = {
    "phone.mp4": {"matrix": UPRIGHT, "aspect": Fraction(5, 4), "options": {"bf": "2"}},
    "phone.mov": {"matrix": UPRIGHT, "aspect": Fraction(5, 4), "codec": "qtrle", "pix_fmt": "rgb24"},
    "cut.mp4": {"stamps": range(-10, 40), "options": {"bf": "2", "g": "20"}},
    "late.ts": {"stamps": range(10, 40), "options": {"bf": "2"}},
    "browser.webm": {"codec": "libvpx", "rate": 1000, "stamps": JITTERED, "options": {"lag-in-frames": "16"}},
    "old.avi": {"options": {"bf": "3"}},
    "raw.h264": {"options": {"bf": "3"}},
    "windows.wmv": {"codec": "wmv2"},
}


@pytest.fixture(scope="module")
def click() -> Sound:
    """A tone of a second that begins at once."""
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE) / SAMPLE_RATE).astype(np.float32)
    with held([tone]) as sound:
        yield sound


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("name", FILMS)
def test_pictures_times_rotation_and_aspect_are_kept(
    name: str, suffix: str, click: Sound, tmp_path: Path
) -> None:
    source, output = write_film(tmp_path / name, **FILMS[name]), tmp_path / f"sounding{suffix}"
    write_soundtrack(source, output, click)
    before, after = film_info(source), film_info(output)
    assert (after.rotation, after.mirrored, after.size) == (before.rotation, before.mirrored, before.size)
    assert after.pixel_aspect == before.pixel_aspect
    assert after.has_sound
    seen, expected = numbers(FilmFrames(output)[:]), numbers(FilmFrames(source)[:])
    shared = min(len(seen), len(expected))
    assert abs(len(seen) - len(expected)) <= 1  # how long the last picture stands, not every format says
    assert seen[:shared] == expected[:shared]
    # The tone begins with the first picture.
    with av.open(str(output)) as container:
        first = next(frame.time for frame in container.decode(video=0))
    with av.open(str(output)) as container:
        heard = [(frame.time, np.abs(frame.to_ndarray()).max()) for frame in container.decode(audio=0)]
    begin = next(time for time, level in heard if level > 0.1)
    assert abs(begin - first) < 0.08


def test_outputs_are_checked_before_any_work(tmp_path: Path) -> None:
    film, output = tmp_path / "film.mp4", tmp_path / "out.mp4"
    film.touch()
    (tmp_path / "folder.mid").mkdir()
    check_output(film, Outputs(output, tmp_path / "out.mid", tmp_path / "out.wav"))
    for other, message in (
        ({"keyboard": tmp_path / "out.txt"}, r"ends in \.png"),
        ({"overlay": output}, "is to be written twice"),
        ({"overlay": film}, "is the input itself"),
        ({"wav": tmp_path / "out.mp3"}, r"ends in \.wav"),
        ({"midi": tmp_path / "folder.mid"}, "is a folder"),
    ):
        with pytest.raises(AudeoBenchError, match=message):
            check_output(film, Outputs(output, **other))
