"""A recording as ordinary files: a video with sound, a MIDI file, the rolls."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from audeo_bench.api import AudeoBenchError, Recording
from audeo_bench.corpus import open_corpus
from audeo_bench.files import atomic_write
from audeo_bench.formats.midi import write_midi

__all__ = ["export", "find_recording"]


def find_recording(place: str, seed: int = 0) -> Recording:
    """A recording by ``corpus/recording``, such as ``simulated/wtc2-01``.

    Raises
    ------
    AudeoBenchError
        If it is not written so, or there is no such corpus or recording.
    """
    corpus, slash, recording_id = place.partition("/")
    if not slash or not recording_id:
        raise AudeoBenchError(f"{place}: write CORPUS/RECORDING, such as simulated/wtc2-01.")
    return open_corpus(corpus, seed=seed).recording(recording_id)


def export(recording: Recording, directory: Path) -> list[Path]:
    """Write one recording's files; each appears whole or not at all.

    Parameters
    ----------
    recording : Recording
    directory : Path
        Made where it does not exist.

    Returns
    -------
    list of Path
        ``<id>.npz`` (bool rolls of shape (88, T): ``sounding``, and ``pressed`` where it is known),
        ``<id>.mid`` (the notes behind ``sounding``, where they are known) and ``<id>.mp4`` (the frames, with
        sound where there is any).
    """
    from audeo_bench.film.writing import write_video

    directory = Path(directory)
    written = [directory / f"{recording.id}.npz"]
    rolls = {"sounding": recording.sounding}
    if recording.pressed is not None:
        rolls["pressed"] = recording.pressed
    with atomic_write(written[0]) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **rolls)
    if recording.notes is not None:
        written.append(directory / f"{recording.id}.mid")
        write_midi(recording.notes, written[-1])
    written.append(directory / f"{recording.id}.mp4")
    write_video(written[-1], recording.frames, recording.audio() if recording.audio else None)
    return written
