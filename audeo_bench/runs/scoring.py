"""Scoring the rolls of a run folder; no model runs."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from audeo_bench.corpus import Corpus, open_corpus
from audeo_bench.corpus.audeo.recordings import AudeoRecorded
from audeo_bench.errors import AudeoBenchError
from audeo_bench.progress import progress_bar
from audeo_bench.records import RunRecord, Scores, StoredScores, Subject, read, write
from audeo_bench.runs.folder import (
    AGAIN,
    check_same_subject,
    read_answer,
    read_named_answer,
    read_record,
    roll_path,
    roll_sha256,
)
from audeo_bench.runs.task import Task
from audeo_bench.score import THRESHOLDS, Rolls, score_rolls
from audeo_bench.score.notes import roll_note_counts


@dataclass(frozen=True)
class Result:
    """One finished run and its scores."""

    folder: Path
    record: RunRecord
    scores: Scores


def result(folder: Path, thresholds: Sequence[float] = (), corpus: Corpus | None = None) -> Result:
    """A finished run with its scores; see :func:`score_run`."""
    return Result(folder, read_record(folder), score_run(folder, thresholds, corpus))


def score_run(
    folder: Path, thresholds: Sequence[float] = (), corpus: Corpus | None = None, again: bool = False
) -> Scores:
    """A finished run's scores. What ``scores.json`` holds is read; thresholds that it lacks are added.

    Parameters
    ----------
    folder : Path
        Where it may not be written, nothing is stored.
    thresholds : sequence of float
        Beside 0.3, 0.4 and 0.5, which serve every table.
    corpus : Corpus or None
        None opens the corpus that the run names.
    again : bool
        Score the rolls whatever is stored, at these thresholds alone, and store nothing.

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
    corpus = corpus or open_corpus(record.subject.corpus, record.subject.seed)
    task = Task(corpus, record.subject.split, limit=record.subject.limit)
    check_same_subject(folder, record.subject, task.subject)
    if others := sorted(record.answers.keys() - set(task.ids)):
        raise AudeoBenchError(
            f"{folder / 'run.json'}: answers for {others[0]!r}, which is none of the {len(task.ids)} "
            f"recordings of {task.board}; {AGAIN} to leave it out."
        )
    wanted = {*THRESHOLDS, *thresholds}
    stored = None
    if not again:
        try:
            stored = _stored(folder, record, task.subject)
        except AudeoBenchError as fault:
            print(f"audeo-bench: {fault}", file=sys.stderr)
    if stored and wanted <= set(stored.thresholds):
        return stored
    scores = _score(folder, record, task, sorted({*wanted, *(stored.thresholds if stored else ())}))
    if not again:
        try:
            write(folder / "scores.json", StoredScores.of(_hashes(record), scores))
        except OSError as fault:
            if fault.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise
    return scores


def pedalled(result: Result, corpus: Corpus | None = None) -> Result:
    """A result whose note scores are against true notes as the sustain pedal holds them; nothing is stored.

    Parameters
    ----------
    result : Result
    corpus : Corpus or None
        None opens the corpus that the run names.

    Raises
    ------
    AudeoBenchError
        Its labels do not say what the pedal holds.
    """
    subject, scores = result.record.subject, result.scores
    corpus = corpus or open_corpus(subject.corpus, subject.seed)
    scored = {}
    for name, one in scores.recordings.items():
        held = corpus.held_notes(name)
        if held is None:
            raise AudeoBenchError(
                f"corpus {corpus.name}: the labels of {name} do not tell what the sustain pedal holds, as "
                "true MIDI of whole films does; leave --pedal out."
            )
        roll, _ = read_answer(result.folder, name)
        notes = [roll_note_counts(held, roll, threshold) for threshold in scores.thresholds]
        scored[name] = one.model_copy(update={"notes": notes})
    return replace(result, scores=scores.model_copy(update={"recordings": scored}))


def kept_scores(folder: Path, record: RunRecord) -> Scores | None:
    """The scores that were kept of a run's answers, however old the corpus; nothing is scored."""
    with suppress(AudeoBenchError):
        return _stored(folder, record, record.subject)
    return None


def _stored(folder: Path, record: RunRecord, subject: Subject) -> Scores | None:
    """The scores that are kept, if they are of all these rolls.

    Raises
    ------
    AudeoBenchError
        A file that is damaged, edited or older.
    """
    path = folder / "scores.json"
    if not path.exists():
        return None
    stored = read(path, StoredScores, "the rolls are scored anew")
    if stored.rolls != _hashes(record) or stored.scores.subject.differences(subject):
        return None
    answered = {name: answer.frames for name, answer in record.answers.items() if answer.frames}
    scored = {name: stored.scores.frames(name) for name in stored.scores.recordings}
    return stored.scores if scored == answered else None


def _hashes(record: RunRecord) -> dict[str, str]:
    return {name: answer.roll_sha256 for name, answer in record.answers.items()}


def _score(folder: Path, record: RunRecord, task: Task, thresholds: Sequence[float]) -> Scores:
    rolls = _Rolls(folder, record, task)
    with progress_bar(f"scoring {record.system}", len(rolls), "recordings") as bar:
        return score_rolls(rolls, task.subject, thresholds, progress=lambda _: bar.advance())


class _Rolls(Mapping[str, Rolls]):
    """The recordings that a run answers for, read one by one.

    Only the authors' released answers may leave frames or whole recordings out, and then exactly those that
    the release leaves out.
    """

    def __init__(self, folder: Path, record: RunRecord, task: Task) -> None:
        self.folder, self.record, self.task = folder, record, task
        corpus = task.corpus
        released = isinstance(corpus, AudeoRecorded) and record.system in corpus.answers(task.split)
        self.release = corpus if isinstance(corpus, AudeoRecorded) and released else None
        self.names = [name for name in task.ids if not self._left_out(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, name: str) -> Rolls:
        recording = self.task.corpus.recording(name)
        roll, answered = read_named_answer(self.folder, self.record, name, len(recording))
        truth = self.task.corpus.truth_of(recording)
        if answered is None:
            return Rolls(truth, roll, recording.pressed, recording.notes)
        stored = self.release.answer(name, self.record.system) if self.release else None
        named = self.record.answers[name].roll_sha256
        if stored is None or roll_sha256(stored.roll, stored.answered) != named:
            path = roll_path(self.folder, name)
            raise AudeoBenchError(
                f"{path}: answers for some of its frames only, as none but the authors' own answers may; "
                "answer for all."
            )
        notes = recording.notes if answered.all() else None
        pressed = None if recording.pressed is None else recording.pressed[:, answered]
        return Rolls(truth[:, answered], roll[:, answered], pressed, notes)

    def _left_out(self, name: str) -> bool:
        return self.release is not None and not self.release.answer(name, self.record.system).answered.any()
