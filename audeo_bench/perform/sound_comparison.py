"""Synthesisers against the true sound: distances of every recording, and the sounds for a figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from audeo_bench.api import FRAMES_PER_SECOND, SAMPLE_RATE, AudeoBenchError, Recording
from audeo_bench.contestants.process import Worker
from audeo_bench.synth.distances import log_spectral_distance, mel_cepstral_distance

__all__ = ["Compared", "compare_sounds"]


@dataclass(frozen=True)
class Compared:
    """One recording, synthesised several times.

    Attributes
    ----------
    recording : str
    title : str
    sounds : mapping of str to np.ndarray, shape (n,), float32
        ``truth`` first, then every synthesiser's by its name.
    log_spectral, mel_cepstral : mapping of str to float
        Distances to the truth in dB, by synthesiser.
    """

    recording: str
    title: str
    sounds: Mapping[str, np.ndarray]
    log_spectral: Mapping[str, float]
    mel_cepstral: Mapping[str, float]


def compare_sounds(
    recordings: Iterable[Recording], synthesizers: Mapping[str, Worker], seconds: float = 20.0
) -> list[Compared]:
    """Let synthesisers play the labels of recordings and measure how far that is from the true sound.

    Parameters
    ----------
    recordings : iterable of Recording
        With sound. Every synthesiser is given ``sounding`` as a roll: it knows no velocities and no pedal.
    synthesizers : mapping of name to Worker
    seconds : float
        From each recording's beginning.

    Raises
    ------
    AudeoBenchError
        A recording has no sound.
    """
    answers = []
    for recording in recordings:
        if recording.audio is None:
            raise AudeoBenchError(
                f"{recording.id}: has no true sound; choose a recording of --corpus simulated."
            )
        frames = min(len(recording), round(seconds * FRAMES_PER_SECOND))
        length = frames * SAMPLE_RATE // FRAMES_PER_SECOND
        sounds = {"truth": recording.audio()[:length]}
        for name, synthesizer in synthesizers.items():
            sounds[name] = synthesizer.audio(recording.sounding[:, :frames], recording.id)
        answers.append(
            Compared(
                recording.id,
                f"{recording.title} ({recording.provenance})",
                sounds,
                {name: log_spectral_distance(sounds["truth"], sounds[name]) for name in synthesizers},
                {name: mel_cepstral_distance(sounds["truth"], sounds[name]) for name in synthesizers},
            )
        )
    return answers
