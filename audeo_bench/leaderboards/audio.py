"""Sound beside a row: its excerpts, rendered at the paper's settings, for the page's players."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from audeo_bench.api import SAMPLE_RATE
from audeo_bench.files import atomic_write, file_name
from audeo_bench.leaderboards.excerpt import from_runs
from audeo_bench.leaderboards.rows import read_row
from audeo_bench.roll import FRAMES_PER_SECOND, roll_to_notes
from audeo_bench.synth.fluidsynth import render

_STRETCH = 5 * SAMPLE_RATE
"""Samples written at once: libsndfile's Vorbis encoder fails on long single writes."""


def render_excerpts(row_path: Path) -> list[Path]:
    """Write ``<board>/audio/<contestant>/<recording>.ogg`` for every excerpt of a row."""
    row = read_row(row_path)
    folder = row_path.parent / "audio" / file_name(row.contestant)
    written = []
    for name, answer in row.answers.items():
        if answer.excerpt is None:
            continue
        roll = from_runs(answer.excerpt.answer, answer.excerpt.frames)
        sound = render(roll_to_notes(roll), seconds=answer.excerpt.frames / FRAMES_PER_SECOND)
        written.append(_write_ogg(sound, folder / f"{name}.ogg"))
    return written


def _write_ogg(sound: np.ndarray, path: Path) -> Path:
    with (
        atomic_write(path) as temporary,
        soundfile.SoundFile(temporary, "w", SAMPLE_RATE, 1, format="OGG", subtype="VORBIS") as file,
    ):
        for start in range(0, len(sound), _STRETCH):
            file.write(sound[start : start + _STRETCH])
    return path
