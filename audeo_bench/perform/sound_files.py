"""Sound to files, block by block: memory stays flat however long the sound is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError
from audeo_bench.contestants.loading import alone
from audeo_bench.contestants.process import Worker, take
from audeo_bench.files import atomic_write
from audeo_bench.perform.sources import Score, read_scores
from audeo_bench.roll import THRESHOLD
from audeo_bench.synth.loudness import LevelMeter, limited

__all__ = ["PIANO", "Sound", "Voice", "held", "open_synthesizer", "play", "render_files", "write_wav"]

BLOCK = 10 * SAMPLE_RATE


@dataclass(frozen=True)
class Voice:
    """Who plays.

    Attributes
    ----------
    synthesizer : str
        Its name or path, such as ``perfnet`` or ``./mine.py``.
    instrument : str or None
    soundfont : Path or None
        FluidSynth's.
    weights : Path or None
        None for those beside its file.
    """

    synthesizer: str = "fluidsynth"
    instrument: str | None = None
    soundfont: Path | None = None
    weights: Path | None = None


PIANO = Voice()
"""FluidSynth's grand piano, as in the paper."""


@dataclass(frozen=True)
class Sound:
    """Samples kept on disk.

    Attributes
    ----------
    path : Path
        A float WAV file, not scaled.
    samples : int
    gain : float
        What brings it to the level of :mod:`audeo_bench.synth.loudness`.
    """

    path: Path
    samples: int
    gain: float

    def blocks(self, size: int = BLOCK) -> Iterator[np.ndarray]:
        """Consecutive scaled samples, float32, ``size`` at a time."""
        for block in soundfile.blocks(str(self.path), blocksize=size, dtype="float32"):
            yield limited(block * np.float32(self.gain))


@contextmanager
def held(blocks: Iterable[np.ndarray]) -> Iterator[Sound]:
    """Keep a stream of samples in a temporary file until its level is known."""
    with TemporaryDirectory(prefix="audeo-bench-") as folder:
        path = Path(folder) / "sound.wav"
        meter, samples = LevelMeter(), 0
        with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "FLOAT") as file:
            for block in blocks:
                file.write(block)
                meter.add(block)
                samples += len(block)
        yield Sound(path, samples, meter.gain)


def write_wav(path: Path, sound: Sound) -> None:
    """Write 16-bit mono at 16 kHz, at its level; atomic."""
    with (
        atomic_write(path) as temporary,
        soundfile.SoundFile(temporary, "w", SAMPLE_RATE, 1, "PCM_16") as file,
    ):
        for block in sound.blocks():
            file.write(block)


def open_synthesizer(voice: Voice) -> Worker:
    """A voice's synthesiser in a process of its own.

    Raises
    ------
    AudeoBenchError
        It is no synthesiser, has no weights, or has no choice of instruments or sound fonts.
    """
    name, font = voice.synthesizer, voice.soundfont
    contestant = alone(name, [] if voice.weights is None else [str(voice.weights)])
    if contestant.kind != "synthesizer":
        raise AudeoBenchError(f"--synth {name}: is a {contestant.kind} contestant; give a synthesizer.")
    options = {"program": voice.instrument, "soundfont": None if font is None else str(font.resolve())}
    chosen = {option: value for option, value in options.items() if value is not None}
    worker = take(contestant)
    worker.load(**chosen)
    return worker


def play(synthesizer: Worker, score: Score) -> Iterator[np.ndarray]:
    """The samples of a score, in consecutive blocks, as long as the score."""
    return synthesizer.play(score.notes, score.seconds, score.name)


def render_files(
    source: Path,
    output: Path | None = None,
    voice: Voice = PIANO,
    threshold: float = THRESHOLD,
    velocity: int | None = None,
) -> Iterator[tuple[Path, float, tuple[str, ...]]]:
    """Write everything playable at ``source`` as WAV files.

    Parameters
    ----------
    source, threshold, velocity
        As for :func:`audeo_bench.perform.sources.read_scores`.
    output : Path or None
        A ``.wav`` file; for a run folder a folder. None is ``<source>.wav``, for a run its ``audio/``.
    voice : Voice

    Yields
    ------
    path : Path
        As soon as it is written.
    seconds : float
    remarks : tuple of str
        What of the source was read past or left out.
    """
    stage = open_synthesizer(voice)
    source = Path(source)
    if source.is_dir():
        if output is not None and output.suffix.lower() == ".wav":
            raise AudeoBenchError(f"--output {output}: a run becomes several files; give a folder.")
        folder = output or source / "audio"
    elif output is not None and output.suffix.lower() != ".wav":
        raise AudeoBenchError(f"--output {output}: sound is written as WAV; give a name that ends in .wav.")
    else:
        folder = None
    for score in read_scores(source, threshold, velocity):
        path = folder / f"{score.name}.wav" if folder else output or source.with_suffix(".wav")
        with held(play(stage, score)) as sound:
            write_wav(path, sound)
            yield path, sound.samples / SAMPLE_RATE, score.remarks
