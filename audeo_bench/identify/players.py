"""Who plays to the listener: the recording itself, or a system's reconstruction of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from audeo_bench.api import AudeoBenchError, Recording
from audeo_bench.roll import THRESHOLD

if TYPE_CHECKING:
    from audeo_bench.contestants.loading import Contestant, System
    from audeo_bench.contestants.process import Worker
    from audeo_bench.corpus import Corpus
    from audeo_bench.records import StageRecord

GROUND_TRUTH = "truth"


class Player(Protocol):
    """Turns a recording into the sound that is asked about."""

    system: str

    def play(self, recording: Recording) -> np.ndarray:
        """Float32 mono samples at 16 kHz."""
        ...


class GroundTruth:
    """The recording's own sound; where a corpus has none, its true roll through FluidSynth."""

    system = GROUND_TRUTH

    def play(self, recording: Recording) -> np.ndarray:
        if recording.audio is not None:
            return recording.audio()
        from audeo_bench.synth.fluidsynth import render_roll

        return render_roll(np.asarray(recording.sounding, bool))


@dataclass
class SystemPlayer:
    """A chain of contestants that ends in a synthesizer; its rolls are kept in run folders."""

    chain: System
    runs: Path
    threshold: float = THRESHOLD
    seed: int = 0

    def __post_init__(self) -> None:
        self.system = self.chain.name
        last = self.chain.stages[-1]
        if self.chain.kinds[-1] != "synthesizer":
            raise AudeoBenchError(
                f"system {self.system!r}: a listener needs sound; "
                f"add a synthesizer, as in {self.system}+fluidsynth."
            )
        self._synthesizer: Contestant = last
        self._voice: Worker | None = None
        self.stages: tuple[StageRecord, ...] = ()
        """What plays, stage by stage, once it has played."""

    def prepare(self, corpus: Corpus, split: str, limit: int | None, only: str | None) -> None:
        """Let the roll stages answer; recordings answered before are not answered again."""
        from audeo_bench.runs.predict import predict
        from audeo_bench.runs.task import Task

        task = Task(corpus, split, self.runs, limit, self.seed)
        recordings = None if only is None else [corpus.recording(only)]
        run = predict(self.chain, task, recordings)
        self._folder, self._rolls = run.folder, run.record.stages

    def play(self, recording: Recording) -> np.ndarray:
        from audeo_bench.contestants.process import take
        from audeo_bench.runs.folder import read_roll
        from audeo_bench.runs.predict import stage_record

        if self._voice is None:
            self._voice = take(self._synthesizer, self.seed)
            self.stages = (*self._rolls, stage_record(self._synthesizer, self._voice.load()))
        return self._voice.audio(read_roll(self._folder, recording.id) >= self.threshold, recording.id)


def table2_players(runs: Path, systems: Sequence[str] = ()) -> list[Player]:
    """The systems of Table 2 as far as their weights are there, or those asked for; the ground truth last.

    Parameters
    ----------
    runs : Path
        Where run folders go.
    systems : sequence of str
        Chains such as ``video2roll+fluidsynth`` or ``./mine.py+fluidsynth``; ``truth`` is the ground truth.
    """
    from audeo_bench.contestants import loading as contestants
    from audeo_bench.paper.reported import reported

    if systems:
        return [
            GroundTruth() if name == GROUND_TRUTH else SystemPlayer(contestants.system(name), runs)
            for name in systems
        ]
    names = [row.system for row in reported().table2.rows if row.system != GROUND_TRUTH]
    ready = contestants.ready_systems(names)
    return [*(SystemPlayer(chain, runs) for chain in ready), GroundTruth()]
