"""Letting a system answer for every recording of a task.

Predicting and scoring are separate: this module runs models and keeps their answers in a run folder; a new
threshold or metric reads the folder and never runs a model again. A run that was stopped continues where it
stopped: an answer is kept as long as all that could change it is the same, code, weights, corpus and seed.

A chain's shorter systems are runs of their own in the folders beside it (``video2roll`` beside
``video2roll+roll2midi``), so that no stage ever runs twice over the same recording.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from pydantic import ValidationError

from audeo_bench.api import Recording
from audeo_bench.contestants.loading import Contestant, System
from audeo_bench.contestants.process import Declared, lent
from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.text import parse_json, read_text
from audeo_bench.progress import progress_bar
from audeo_bench.provenance import place
from audeo_bench.records import StageRecord, Training
from audeo_bench.runs.folder import Run, open_run, read_record, read_roll
from audeo_bench.runs.task import Task


def predict(
    system: System, task: Task, recordings: Sequence[Recording] | None = None, title: str = ""
) -> Run:
    """Let a system answer for every recording of a task, and keep the answers in its run folder.

    Parameters
    ----------
    system : System
        Its synthesizer, if it has one, is left aside. A chain's shorter systems run first.
    task : Task
    recordings : sequence of Recording or None
        The task's recordings where the caller holds them already, or some of them: then only these are
        answered, and the run is not finished unless the others were before.
    title : str
        Stands before the system's name at the progress bar.

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
    earlier = predict(shorter, task, recordings, title) if shorter else None
    run = finished(system, task)
    if run is not None:
        return run
    contestant = system.roll_stages[-1]
    with lent(contestant, task.seed) as worker:
        declared = worker.declared
        stages = (*(earlier.record.stages if earlier else ()), stage_record(contestant, declared))
        with (
            open_run(system.roll_name, stages, task, declared.hardware) as run,
            progress_bar(title + run.record.system, len(recordings), "recordings") as bar,
        ):
            for recording in recordings:
                if recording.id in run.record.answers:
                    bar.advance(1)
                    continue
                if earlier:
                    roll = read_roll(earlier.folder, recording.id).astype(np.float32)
                    answer = worker.midi(roll, recording.id)
                    before = earlier.record.answers[recording.id].seconds
                    bar.advance(1)
                else:
                    frames = len(recording)
                    answer = worker.roll(
                        recording.frames, recording.id, lambda read, all_=frames: bar.advance(read / all_)
                    )
                    before = 0.0
                run.keep(recording.id, answer.roll, seconds=before + answer.seconds, code=answer.code)
            if len(run.record.answers) == len(task.ids):
                run.mark("success")
    return run


def finished(system: System, task: Task) -> Run | None:
    """A system's run where it is all there already, so that no contestant need be started."""
    folder = task.folder(system.roll_name)
    if not (folder / "run.json").exists():
        return None
    old = read_record(folder)
    found = [(stage.file, stage.sha256, stage.weights_sha256) for stage in old.stages]
    asked = [(place(stage.path), stage.sha256, stage.weights_sha256) for stage in system.roll_stages]
    # Which accelerator a contestant will find, only its process can say.
    if found != asked or old.status != "success" or "accelerator" in old.origin.hardware:
        return None
    with open_run(system.roll_name, old.stages, task, old.origin.hardware) as run:
        if len(run.record.answers) < len(task.ids):
            return None
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


def stage_record(contestant: Contestant, declared: Declared) -> StageRecord:
    trained = _beside(contestant)
    facts = dict(declared.facts) | ({"smoke": True} if trained.get("smoke") else {})
    parameters = facts.pop("parameters", None)
    return StageRecord(
        name=contestant.name,
        file=place(contestant.path),
        sha256=contestant.sha256,
        code=declared.code,
        weights=place(contestant.weights) if contestant.weights else None,
        weights_sha256=contestant.weights_sha256,
        parameters=parameters if isinstance(parameters, int) else None,
        configuration=facts,
        trained_on=tuple(sorted(declared.trained_on)),
        **_training(trained),
    )


def _beside(contestant: Contestant) -> dict[str, Any]:
    """The training's record beside the weights, if there is one and it is of these weights."""
    path = contestant.weights and contestant.weights.with_suffix(".json")
    with suppress(AudeoBenchError):  # whatever else lies there
        found = parse_json(read_text(path, remedy=""), str(path), remedy="") if path else None
        if isinstance(found, dict) and found.get("weights_sha256") == contestant.weights_sha256:
            return found
    return {}


def _training(record: dict[str, Any]) -> dict[str, Any]:
    """What a stage's record takes over of its training's."""
    seed, training = record.get("seed"), None
    with suppress(ValidationError):
        measured = {field: f"training_{field}" for field in ("seconds", "processor_seconds")}
        kept = measured | {"hardware": "hardware", "processes": "processes"}
        facts = {field: record[name] for field, name in kept.items() if name in record}
        training = Training.model_validate(facts)
    return {"training_seed": seed if type(seed) is int else None, "training": training}
