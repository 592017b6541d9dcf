"""The run folder: what a system answered and how that came about.

It holds ``run.json`` (:class:`audeo_bench.records.RunRecord`), one ``rolls/<recording id>.npz`` a recording
(key ``roll``, float32 or float16, shape (88, T); key ``answered``, bool, shape (T,), where it answers for
some frames only) and, once scored, ``scores.json``. Every file is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import atomic_write, locked
from audeo_bench.formats.npz import read_arrays
from audeo_bench.provenance import changed, code_of
from audeo_bench.records import Answer, Origin, RunRecord, StageRecord, Status, Subject, read, write
from audeo_bench.roll import KEYS
from audeo_bench.runs.task import Task

AGAIN = "run the same `audeo-bench midi` command again"


@dataclass
class Run:
    """A run folder that is being filled."""

    folder: Path
    record: RunRecord

    def keep(
        self,
        recording: str,
        roll: np.ndarray,
        answered: np.ndarray | None = None,
        seconds: float = 0.0,
        code: Mapping[str, str] | None = None,
    ) -> None:
        """Store one answer and note it in the record.

        Parameters
        ----------
        recording : str
        roll : np.ndarray, shape (88, T), float32
        answered : np.ndarray or None, shape (T,), bool
            Which frames it answers for; None for all.
        seconds : float
            Of the whole chain.
        code : mapping of str to str, or None
            What the last stage imported by now, by :func:`audeo_bench.provenance.code_of`.
        """
        arrays = {"roll": roll} if answered is None else {"roll": roll, "answered": answered}
        with atomic_write(roll_path(self.folder, recording)) as temporary:
            np.savez_compressed(temporary, allow_pickle=False, **arrays)
        answer = Answer(
            frames=roll.shape[1] if answered is None else int(answered.sum()),
            seconds=round(seconds, 6),
            roll_sha256=roll_sha256(roll, answered),
        )
        *before, last = self.record.stages
        code = dict(code or {})
        if other := next((name for name in code if last.code.get(name, code[name]) != code[name]), None):
            raise AudeoBenchError(f"{other}: changed while {last.name} answered; start the command again.")
        last = last.model_copy(update={"code": last.code | code})
        self.update(answers={**self.record.answers, recording: answer}, stages=(*before, last))

    def mark(self, status: Status, error: str | None = None) -> None:
        self.update(status=status, error=error, finished=now() if status == "success" else None)

    def update(self, **changes: object) -> None:
        self.record = self.record.model_copy(update=changes)
        write(self.folder / "run.json", self.record)


@contextmanager
def open_run(
    system: str, stages: Sequence[StageRecord], task: Task, hardware: Mapping[str, str | int] | None = None
) -> Iterator[Run]:
    """Hold a system's run folder for a task, with the answers of an earlier, stopped or smaller run that
    still are this system's; stale ones are removed. Another process waits meanwhile.

    Raises
    ------
    AudeoBenchError
        The folder answered for other recordings.
    """
    folder = task.folder(system)
    origin = Origin.here(task.seed)
    if hardware is not None:  # of the process that answers
        origin = origin.model_copy(update={"hardware": dict(hardware)})
    record = RunRecord(
        status="started",
        system=system,
        stages=tuple(stages),
        subject=task.subject,
        corpus_code=code_of(Path(inspect.getfile(type(task.corpus)))),
        origin=origin,
        started=now(),
    )
    run = Run(folder, record)
    with locked(folder, seconds=-1):
        _take_over(run, task)
        run.update()
        with _marked(run, len(task.ids)):
            yield run


@contextmanager
def _marked(run: Run, asked: int) -> Iterator[None]:
    """Write into the record how the run ended, if it ended early."""
    try:
        yield
    except BaseException as error:
        cancelled = isinstance(error, KeyboardInterrupt)
        if run.record.status != "success":  # it may be another run's fault
            with suppress(OSError):  # the disk may be full; the error itself matters more
                run.mark(
                    "cancelled" if cancelled else "error",
                    None if cancelled else "".join(traceback.format_exception(error)),
                )
        if cancelled:
            done = f"{len(run.record.answers)} of {asked} recordings of {run.record.system}"
            raise KeyboardInterrupt(f"{done} are kept in {run.folder}; the same command continues") from error
        raise


def _take_over(run: Run, task: Task) -> None:
    """Keep an earlier run's answers that all that made them would give again; say why not, if not."""
    folder, new = run.folder, run.record
    if not (folder / "run.json").exists():
        return
    old = read_record(folder)
    check_same_subject(folder, old.subject, new.subject)
    kept, reason = {}, _difference(folder, old, new)
    if reason is None:
        for name in (name for name in task.ids if name in old.answers):
            try:
                read_named_answer(folder, old, name, len(task.corpus.recording(name)))
                kept[name] = old.answers[name]
            except AudeoBenchError:
                if roll_path(folder, name).exists():
                    words = "its kept roll is damaged or altered"
                    print(f"audeo-bench: {new.system} answers {name} anew: {words}", file=sys.stderr)
    elif old.answers:
        print(f"audeo-bench: {new.system} answers anew: {reason}", file=sys.stderr)
    for path in (folder / "rolls").glob("*.npz"):
        if path.stem not in kept:
            path.unlink()
    stages = new.stages
    if kept:  # what these came from stays on record, with what is imported only while answering
        stages = tuple(
            stage.model_copy(update={"code": was.code | stage.code})
            for stage, was in zip(stages, old.stages, strict=True)
        )
    run.record = new.model_copy(update={"answers": kept, "stages": stages})


def _difference(folder: Path, old: RunRecord, new: RunRecord) -> str | None:
    """What has changed since, of all that an answer depends on."""
    for was, stage in zip(old.stages, new.stages, strict=False):
        if was.file != stage.file:
            raise AudeoBenchError(
                f"{folder}: holds the answers of {was.file}, not of {stage.file}; rename your file, or "
                "choose another folder with --runs."
            )
        if was.weights_sha256 != stage.weights_sha256:
            return f"{stage.name} has other weights"
    if [stage.name for stage in old.stages] != [stage.name for stage in new.stages]:
        return "the chain is another"
    for stage in old.stages:
        if stage.sha256 and stage.file not in stage.code:
            return f"run.json does not say from which code {stage.name} answered"
    if not new.corpus_code.keys() <= old.corpus_code.keys():
        return "run.json does not say from which code the recordings came"
    for code in (*(stage.code for stage in old.stages), old.corpus_code):
        if part := changed(code):
            return f"{part} changed"
    if old.origin.hardware.get("accelerator") != new.origin.hardware.get("accelerator"):
        return "another processor computes"
    return None if old.origin.seed == new.origin.seed else "the seed is another"


def check_same_subject(folder: Path, was: Subject, now: Subject) -> None:
    """Refuse a run folder that answered for other recordings than those of now."""
    if was.corpus != now.corpus:
        raise AudeoBenchError(
            f"{folder}: answers about corpus {was.corpus}, not {now.corpus}; give --corpus {was.corpus}, or "
            "choose another folder with --runs."
        )
    for field in ("version", "seed", "split", "split_hash", "provenance", "truth"):
        found, expected = getattr(was, field), getattr(now, field)
        if found != expected:
            raise AudeoBenchError(
                f"{folder}: was made with {field.replace('_', ' ')} {found} of corpus {was.corpus}, but now "
                f"it is {expected}; choose another folder with --runs, or delete this one and predict again."
            )


def read_record(folder: Path) -> RunRecord:
    """The run folder's ``run.json``."""
    path = folder / "run.json"
    if not path.exists():
        raise AudeoBenchError(f"{folder}: not a run folder (it has no run.json).")
    return read(path, RunRecord, "delete the run folder and predict again")


def roll_path(folder: Path, recording: str) -> Path:
    return folder / "rolls" / f"{recording}.npz"


def read_roll(folder: Path, recording: str) -> np.ndarray:
    """A recording's kept answer, shape (88, T), float32."""
    return read_answer(folder, recording)[0]


def read_answer(folder: Path, recording: str) -> tuple[np.ndarray, np.ndarray | None]:
    """A recording's kept roll, shape (88, T), float32, and which frames it answers for, shape (T,), bool;
    None for all.

    Raises
    ------
    AudeoBenchError
        A missing or damaged file; values that are no probabilities.
    """
    path = roll_path(folder, recording)
    remedy = f"{AGAIN} to answer it anew"
    arrays = read_arrays(path, remedy=remedy)
    roll, answered = arrays.get("roll"), arrays.get("answered")
    if roll is None or roll.ndim != 2 or roll.shape[0] != KEYS or roll.dtype not in (np.float16, np.float32):
        raise AudeoBenchError(f"{path}: holds no roll of shape ({KEYS}, frames); {remedy}.")
    if answered is not None and (answered.dtype != bool or answered.shape != roll.shape[1:]):
        raise AudeoBenchError(f"{path}: does not say of each frame whether it is answered; {remedy}.")
    values = roll if answered is None else roll[:, answered]
    if not ((values >= 0) & (values <= 1)).all():  # nor is NaN
        raise AudeoBenchError(f"{path}: holds values that are no probabilities in 0..1; {remedy}.")
    return roll, answered


def read_named_answer(
    folder: Path, record: RunRecord, recording: str, frames: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """:func:`read_answer`, where it is the one that the record names and as long as the recording.

    Raises
    ------
    AudeoBenchError
        It is not.
    """
    path, known = roll_path(folder, recording), record.answers.get(recording)
    roll, answered = read_answer(folder, recording)
    if known is None or roll_sha256(roll, answered) != known.roll_sha256:
        raise AudeoBenchError(f"{path}: not the roll that run.json names; delete it and predict again.")
    if roll.shape[1] != frames:
        raise AudeoBenchError(
            f"{path}: {roll.shape[1]} frames, the recording has {frames}; {AGAIN} to answer it anew."
        )
    counted = frames if answered is None else int(answered.sum())
    if known.frames != counted:
        raise AudeoBenchError(
            f"{folder / 'run.json'}: says {known.frames} frames of {recording}, its roll answers for "
            f"{counted}; {AGAIN} to answer it anew."
        )
    return roll, answered


def roll_sha256(roll: np.ndarray, answered: np.ndarray | None = None) -> str:
    """Of an answer's values, row by row: independent of how the file was compressed."""
    digest = hashlib.sha256(np.ascontiguousarray(roll, np.float32).tobytes())
    if roll.dtype == np.float16:
        digest.update(b"float16")
    if answered is not None:
        digest.update(b"answered" + np.packbits(answered).tobytes())
    return digest.hexdigest()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
