"""The film's own sound as notes, so that an answer can be held against it: what ``--against sound`` means."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import soundfile

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.midi import read_midi
from audeo_bench.formats.sound import RATE, read_sound
from audeo_bench.progress import progress_bar
from audeo_bench.roll import Notes

__all__ = ["notes_of_sound"]

PROGRAM = "transkun"


def notes_of_sound(film: Path) -> Notes:
    """What Transkun hears in a film's sound track (Yan, Cwitkowitz & Duan, NeurIPS 2021; Yan & Duan, ISMIR
    2024).

    The program ``transkun`` may belong to another environment than this one: it is called, not imported.
    A piano that it was not trained on may be heard wrongly, so that this is a transcription, not the truth.

    Parameters
    ----------
    film : Path

    Returns
    -------
    Notes
        In film time.

    Raises
    ------
    AudeoBenchError
        The film has no sound, Transkun is not installed, or it failed.
    """
    beside = Path(sys.executable).with_name(PROGRAM)
    program = str(beside) if beside.is_file() else shutil.which(PROGRAM)
    if program is None:
        raise AudeoBenchError(
            "--against sound: Transkun, which hears the notes, is not installed; pip install "
            "'audeo-bench[transkun]', or install transkun anywhere on your PATH (pipx install transkun)."
        )
    samples = read_sound(film).samples
    with TemporaryDirectory() as folder, progress_bar("transcribe the film's sound", 1):
        wav, midi = Path(folder) / "sound.wav", Path(folder) / "heard.mid"
        soundfile.write(wav, samples, RATE, "PCM_16")
        done = subprocess.run([program, str(wav), str(midi)], capture_output=True, text=True, check=False)
        if done.returncode or not midi.is_file():
            said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
            raise AudeoBenchError(
                f"{film}: transkun ended with exit code {done.returncode} and said: {said}; try `{program} "
                "sound.wav heard.mid` by itself, then give its MIDI file to --against."
            )
        return read_midi(midi).notes
