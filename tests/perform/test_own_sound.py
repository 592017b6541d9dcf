"""``perform --against sound``: an answer is held against what Transkun hears in the film's own sound."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest

from audeo_bench.api import AudeoBenchError
from audeo_bench.film.writing import write_video
from audeo_bench.perform import own_sound
from audeo_bench.perform.own_sound import notes_of_sound

HEARD = """#!{python}
import sys
import soundfile
from audeo_bench.formats.midi import write_midi
from audeo_bench.roll import Notes
import numpy as np
from pathlib import Path
sound, rate = soundfile.read(sys.argv[1])
begins = float((abs(sound) > 0.1).argmax()) / rate
write_midi(Notes(np.array([[begins, begins + 0.5]]), np.array([69]), np.array([100])), Path(sys.argv[2]))
"""
"""Stands for Transkun: hears one A4 where the sound begins."""


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Two seconds of grey, with a tone from the middle on."""
    time = np.arange(32_000) / 16_000
    sound = 0.5 * np.sin(2 * np.pi * 440 * time) * (time >= 1.0)
    write_video(tmp_path / "film.mp4", np.full((50, 64, 64), 90, np.uint8), sound.astype(np.float32))
    return tmp_path / "film.mp4"


def install(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "bin" / "transkun"
    program.parent.mkdir()
    program.write_text(text.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")


def test_what_transkun_hears_is_in_film_time(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    install(tmp_path, HEARD, monkeypatch)
    heard = notes_of_sound(film)
    np.testing.assert_array_equal(heard.pitches, [69])
    assert heard.intervals[0, 0] == pytest.approx(1.0, abs=0.05)


def test_a_program_that_fails_is_named_with_its_last_words(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    install(tmp_path, "#!/bin/sh\necho 'no room for the weights' >&2\nexit 3\n", monkeypatch)
    with pytest.raises(
        AudeoBenchError, match=r"film\.mp4: transkun ended with exit code 3 and said: no room"
    ):
        notes_of_sound(film)


def test_without_transkun_it_is_said_how_to_have_it(film: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(own_sound, "PROGRAM", "transkun-that-nobody-has")
    with pytest.raises(AudeoBenchError, match=r"pip install 'audeo-bench\[transkun\]'"):
        notes_of_sound(film)


def test_a_silent_film_has_nothing_to_hear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    install(tmp_path, HEARD, monkeypatch)
    write_video(tmp_path / "silent.mp4", np.full((50, 64, 64), 90, np.uint8))
    with pytest.raises(AudeoBenchError, match=r"silent\.mp4"):
        notes_of_sound(tmp_path / "silent.mp4")
