"""Scoring the rolls of a run folder; no model runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from audeo_bench.contestants.loading import System
from audeo_bench.corpus import Corpus, open_corpus
from audeo_bench.errors import AudeoBenchError
from audeo_bench.progress import progress_bar
from audeo_bench.records import RunRecord, Scores, write
from audeo_bench.runs.folder import (
    AGAIN,
    check_same_subject,
    read_answer,
    read_record,
    roll_path,
    roll_sha256,
)
from audeo_bench.runs.frame_cache import kept_frames
from audeo_bench.runs.predict import predict
from audeo_bench.runs.task import Task
from audeo_bench.score import THRESHOLDS, Rolls, score_rolls


@dataclass(frozen=True)
class Result:
    """One finished run and its scores."""

    folder: Path
    record: RunRecord
    scores: Scores


def evaluate(systems: Iterable[System], task: Task, thresholds: Sequence[float] = ()) -> list[Result]:
    """Let every system answer for a task and score it; frames are rendered or decoded once for all."""
    with kept_frames(task.recordings(), task.runs) as recordings:
        runs = [predict(system, task, recordings) for system in systems]
    return [result(run.folder, thresholds, task.corpus) for run in runs]


def result(folder: Path, thresholds: Sequence[float] = (), corpus: Corpus | None = None) -> Result:
    """A finished run with its scores; see :func:`score_run`."""
    return Result(folder, read_record(folder), score_run(folder, thresholds, corpus))


def score_run(folder: Path, thresholds: Sequence[float] = (), corpus: Corpus | None = None) -> Scores:
    """Score a run folder's rolls against the truth and write ``scores.json``.

    Parameters
    ----------
    folder : Path
    thresholds : sequence of float
        Beside 0.3, 0.4 and 0.5, so that ``scores.json`` serves every table.
    corpus : Corpus or None
        None opens the corpus that the run names.

    Raises
    ------
    AudeoBenchError
        A run that is not finished, or of another corpus version; a missing, truncated or altered roll.
    """
    record = read_record(folder)
    if record.status != "success":
        raise AudeoBenchError(
            f"{folder}: this run's status is {record.status!r}, with {len(record.answers)} recordings "
            f"answered; {AGAIN} to finish it."
        )
    subject = record.subject
    corpus = corpus or open_corpus(subject.corpus, subject.seed)
    task = Task(corpus, subject.split, limit=subject.limit)
    check_same_subject(folder, subject, task.subject)
    rolls = _Rolls(folder, record, task)
    with progress_bar(f"scoring {record.system}", len(rolls), "recordings") as bar:
        scores = score_rolls(
            rolls, subject, sorted({*THRESHOLDS, *thresholds}), progress=lambda _: bar.advance()
        )
    write(folder / "scores.json", scores)
    return scores


class _Rolls(Mapping[str, Rolls]):
    """The recordings of a run that answer for any frame, read one by one."""

    def __init__(self, folder: Path, record: RunRecord, task: Task) -> None:
        self.folder, self.record, self.task = folder, record, task
        self.names = [name for name in task.ids if name not in record.answers or record.answers[name].frames]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, name: str) -> Rolls:
        roll, answered = read_answer(self.folder, name)
        known = self.record.answers.get(name)
        if known is None or roll_sha256(roll) != known.roll_sha256:
            raise AudeoBenchError(
                f"{roll_path(self.folder, name)}: not the roll that run.json names; delete it and "
                "predict again."
            )
        recording = self.task.corpus.recording(name)
        if answered is None or answered.all():
            return Rolls(recording.sounding, roll, recording.pressed, recording.notes)
        pressed = None if recording.pressed is None else recording.pressed[:, answered]
        return Rolls(recording.sounding[:, answered], roll[:, answered], pressed)
