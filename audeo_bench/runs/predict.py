"""Letting a system answer for every recording of a task.

Predicting and scoring are separate: this module runs models and keeps their answers in a run folder; a new
threshold or metric reads the folder and never runs a model again. A run that was stopped continues where it
stopped: an answer is kept as long as all that could change it is the same, code, weights, corpus and seed.

A chain's shorter systems are runs of their own in the folders beside it (``video2roll`` beside
``video2roll+roll2midi``), so that no stage ever runs twice over the same recording.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from audeo_bench.api import Frames, Recording, Stage
from audeo_bench.contestants.answer import answer, seed_everything
from audeo_bench.contestants.loading import Contestant, System
from audeo_bench.progress import Bar, progress_bar
from audeo_bench.provenance import code_of, place
from audeo_bench.records import StageRecord
from audeo_bench.runs.folder import Run, open_run, read_roll
from audeo_bench.runs.task import Task


def predict(system: System, task: Task, recordings: Sequence[Recording] | None = None) -> Run:
    """Let a system answer for every recording of a task, and keep the answers in its run folder.

    Parameters
    ----------
    system : System
        Its synthesizer, if it has one, is left aside. A chain's shorter systems run first.
    task : Task
    recordings : sequence of Recording or None
        The task's recordings where the caller holds them already, or some of them: then only these are
        answered, and the run is not finished unless the others were before.

    Raises
    ------
    AudeoBenchError
        A folder of another corpus, split or version; a contestant that fails or whose answer is not a roll.
        Answers finished before stay.
    KeyboardInterrupt
        With the status ``cancelled`` written; the same call continues.
    """
    recordings = task.recordings() if recordings is None else recordings
    shorter = next(system.prefixes(), None)
    earlier = predict(shorter, task, recordings) if shorter else None
    contestant = system.roll_stages[-1]
    stage = contestant.load()
    stages = (*(earlier.record.stages if earlier else ()), _stage_record(contestant, stage))
    with (
        open_run(system.roll_name, stages, task) as run,
        progress_bar(run.record.system, sum(map(len, recordings)), "frames") as bar,
    ):
        for recording in recordings:
            if recording.id in run.record.answers:
                bar.advance(len(recording))
                continue
            seed_everything(task.seed, recording.id)
            frames = _Watched(recording.frames, bar)
            source = read_roll(earlier.folder, recording.id).astype(np.float32) if earlier else frames
            begun = time.perf_counter()
            roll = answer(stage, contestant, source, recording)
            seconds = time.perf_counter() - begun - frames.seconds
            if earlier:
                seconds += earlier.record.answers[recording.id].seconds
                bar.advance(len(recording))
            run.keep(recording.id, roll, seconds=seconds, code=code_of(contestant.path))
        if len(run.record.answers) == len(task.ids):
            run.mark("success")
    return run


def keep_answers(
    stage: StageRecord, task: Task, rolls: Iterable[tuple[str, np.ndarray, np.ndarray | None]]
) -> Run:
    """Make a finished run folder of answers that are there already; no model runs.

    Parameters
    ----------
    stage : StageRecord
        What the answers go by, and where they came from.
    task : Task
    rolls : iterable of (str, np.ndarray, np.ndarray or None)
        Recording id; roll, shape (88, T), float32; which frames it answers for, shape (T,), bool, None for
        all.
    """
    with open_run(stage.name, (stage,), task) as run:
        for name, roll, answered in rolls:
            run.keep(name, roll, answered)
        run.mark("success")
    return run


def _stage_record(contestant: Contestant, stage: Stage) -> StageRecord:
    facts = dict(stage.describe())
    parameters = facts.pop("parameters", None)
    return StageRecord(
        name=contestant.name,
        file=place(contestant.path),
        sha256=contestant.sha256,
        code=code_of(contestant.path),
        weights=place(contestant.weights) if contestant.weights else None,
        weights_sha256=contestant.weights_sha256,
        parameters=parameters if isinstance(parameters, int) else None,
        configuration=facts,
        trained_on=tuple(sorted(stage.trained_on)),
    )


@dataclass
class _Watched:
    """Frames that tell a progress bar how far they were read, and how long rendering or decoding took."""

    frames: Frames
    bar: Bar
    read: int = 0
    seconds: float = 0.0

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.frames.shape

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, window: slice) -> np.ndarray:
        begun = time.perf_counter()
        picture = self.frames[window]
        self.seconds += time.perf_counter() - begun
        stop = window.indices(len(self))[1] if isinstance(window, slice) else self.read
        if stop > self.read:
            self.bar.advance(stop - self.read)
            self.read = stop
        return picture
