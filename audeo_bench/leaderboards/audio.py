"""Beside a row, for the page: its excerpts as sound at the paper's settings, and pictures of the film."""

from __future__ import annotations

import shutil
import tempfile
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import soundfile

from audeo_bench.api import SAMPLE_RATE
from audeo_bench.corpus import check_choice, open_corpus
from audeo_bench.files import atomic_write, file_name
from audeo_bench.leaderboards.excerpt import from_runs
from audeo_bench.leaderboards.rows import read_row, row_paths
from audeo_bench.records import Row
from audeo_bench.roll import FRAMES_PER_SECOND, roll_to_notes
from audeo_bench.synth.fluidsynth import render

_STRETCH = 5 * SAMPLE_RATE
"""Samples written at once: libsndfile's Vorbis encoder fails on long single writes."""


FILM_STEP = 10
"""Frames from one picture of an excerpt's film to the next: 0.4 s."""
FILM_SHAPE = (50, 450)
"""Of each picture, (height, width)."""
TRUTH = "truth"
"""What the true roll's sound lies under, beside the contestants'."""


def keep_excerpts(folder: Path, board: str | None = None, recordings: int = 1) -> list[Path]:
    """Write sound and film of the first recordings beside the rows of every board, from the excerpts that the
    rows hold: no row changes, and no run is needed. What was kept of these recordings is written anew.

    Parameters
    ----------
    folder : Path
        ``leaderboards/``.
    board : str or None
        Of one board alone.
    recordings : int
        Of each board, in the order of its rows. The page embeds whatever is kept.

    Returns
    -------
    written : list of Path
        Nothing for rows without excerpts, as those of recorded films are.

    Raises
    ------
    AudeoBenchError
        No such board, a row that cannot be read, or a corpus whose data are not here. Nothing is
        written then.
    """
    paths = row_paths(folder)
    if board is not None:
        check_choice("board", board, sorted({path.parent.name for path in paths}), str(folder))
    written = []
    with tempfile.TemporaryDirectory(prefix="audeo-bench-") as temporary:
        for path in paths:
            if board not in (None, path.parent.name):
                continue
            row = read_row(path)
            held = ((name, answer) for name, answer in row.answers.items() if answer.excerpt)
            row = row.model_copy(update={"answers": dict(islice(held, recordings))})
            film_excerpts(row, Path(temporary))
            render_row(row, Path(temporary), truth=True)
        for made in sorted(path for path in Path(temporary).rglob("*") if path.is_file()):
            written.append(folder / made.relative_to(temporary))
            with atomic_write(written[-1]) as kept:
                shutil.copyfile(made, kept)
    return written


def render_row(row: Row, folder: Path, truth: bool = False) -> list[Path]:
    """Write ``<board>/audio/<contestant>/<recording>.ogg`` below ``folder`` for every excerpt of a row; with
    ``truth`` the true rolls' too, under ``<board>/audio/truth/``.
    """
    written = []
    for name, answer in row.answers.items():
        if answer.excerpt is None:
            continue
        wanted = {file_name(row.contestant): answer.excerpt.answer} | (
            {TRUTH: answer.excerpt.truth} if truth else {}
        )
        for place, runs in wanted.items():
            path = folder / row.board / "audio" / place / f"{name}.ogg"
            if place == TRUTH and path.exists():
                continue
            roll = from_runs(runs, answer.excerpt.frames)
            sound = render(roll_to_notes(roll), seconds=answer.excerpt.frames / FRAMES_PER_SECOND)
            written.append(_write_ogg(sound, path))
    return written


def film_excerpts(row: Row, folder: Path) -> list[Path]:
    """Write ``<board>/film/<recording>.jpg`` for every excerpt: its pictures, one below the other.

    Only of simulated and re-enacted corpora. Recorded films belong to others; nothing of them is written.
    """
    subject = row.subject
    if subject.provenance == "recorded":
        return []
    if not any(answer.excerpt for answer in row.answers.values()):
        return []
    corpus = open_corpus(subject.corpus, subject.seed)
    written = []
    for name, answer in row.answers.items():
        path = folder / row.board / "film" / f"{name}.jpg"
        if answer.excerpt is None or path.exists():
            continue
        frames = corpus.recording(name).frames
        first, stop = answer.excerpt.start, answer.excerpt.start + answer.excerpt.frames
        pictures = [
            cv2.resize(np.asarray(frames[at : at + 1])[0], FILM_SHAPE[::-1], interpolation=cv2.INTER_AREA)
            for at in range(first, stop, FILM_STEP)
        ]
        with atomic_write(path) as temporary:
            cv2.imwrite(str(temporary), np.concatenate(pictures), [cv2.IMWRITE_JPEG_QUALITY, 60])
        written.append(path)
    return written


def _write_ogg(sound: np.ndarray, path: Path) -> Path:
    with (
        atomic_write(path) as temporary,
        soundfile.SoundFile(temporary, "w", SAMPLE_RATE, 1, format="OGG", subtype="VORBIS") as file,
    ):
        for start in range(0, len(sound), _STRETCH):
            file.write(sound[start : start + _STRETCH])
    return path
