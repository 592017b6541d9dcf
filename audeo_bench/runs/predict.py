"""Letting a system answer for every recording of a split.

Predicting and scoring are separate: this module runs models and keeps their answers in a run folder; a new
threshold or metric reads the folder and never runs a model again. A run that was stopped continues where it
stopped: an answer is kept as long as contestant, weights, corpus and seed are the same.

A chain's shorter systems are runs of their own in the folders beside it (``video2roll`` beside
``video2roll+roll2midi``), so that no stage ever runs twice over the same recording.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
import traceback
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from audeo_bench import provenance
from audeo_bench.api import (
    KEYS,
    AudeoBenchError,
    Frames,
    Recording,
    RollToMidi,
    Stage,
    VideoToRoll,
)
from audeo_bench.contestants.loading import Contestant, System
from audeo_bench.corpus import Corpus, open_corpus
from audeo_bench.files import atomic_write
from audeo_bench.places import checkout
from audeo_bench.progress import Bar, progress_bar
from audeo_bench.runs.folder import (
    Answer,
    CorpusRecord,
    RunRecord,
    StageRecord,
    check_same_corpus,
    read_answered,
    read_record,
    read_roll,
    roll_path,
    roll_sha256,
    write_record,
)
from audeo_bench.score import THRESHOLDS, Scores, Subject, score_rolls


def split_recordings(corpus: Corpus, split: str, limit: int | None = None) -> list[Recording]:
    """A split's recordings, or only its first ``limit``, made one by one."""
    return [corpus.recording(recording_id) for recording_id in corpus.ids(split)[:limit]]


def predict(
    system: System,
    corpus: Corpus,
    split: str,
    folder: Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    command: Sequence[str] = (),
    recordings: Sequence[Recording] | None = None,
) -> RunRecord:
    """Let a system answer for every recording of a split, and keep the answers in ``folder``.

    Parameters
    ----------
    system : System
        Its synthesizer, if it has one, is left aside.
    corpus, split : Corpus, str
    folder : Path
        The run folder. A chain's shorter systems run first, in the folders beside it that bear their names.
    limit : int or None
        Only the first so many recordings: a quick look, marked as such.
    seed : int
        Python's, numpy's and torch's generators are set from it and the recording's id before each recording.
    command : sequence of str
        What the user typed, for the record.
    recordings : sequence of Recording or None
        The split's recordings (the first ``limit``) where the caller holds them already, or some of them:
        then only these are answered, and the run is not finished unless the others were before.

    Raises
    ------
    AudeoBenchError
        Unknown split; a folder of another corpus, split or version; a contestant that fails or whose answer
        is not a roll. Answers finished before stay.
    KeyboardInterrupt
        With the status ``cancelled`` written; the same call continues.
    """
    names = corpus.ids(split)[:limit]
    recordings = recordings or split_recordings(corpus, split, limit)
    shorter = next(system.prefixes(), None)
    before = None
    if shorter:
        before = folder.parent / shorter.name
        earlier = predict(
            shorter, corpus, split, before, limit=limit, seed=seed, command=command, recordings=recordings
        )
    else:
        earlier = None

    contestant = system.roll_stages[-1]
    stage = contestant.load()
    stages = [*(earlier.stages if earlier else []), _describe(contestant, stage)]
    record = _new_record(stages, corpus, split, limit, seed, command)
    record.answers = _kept_answers(folder, record, names)
    write_record(folder, record)
    try:
        with progress_bar(record.system, sum(map(len, recordings)), "frames") as bar:
            for recording in recordings:
                if recording.id in record.answers:
                    bar.advance(len(recording))
                    continue
                seed_everything(seed, recording.id)
                frames = _Watched(recording.frames, bar)
                source = read_roll(before, recording.id) if before else frames
                begun = time.perf_counter()
                roll = _answer(stage, contestant, source, recording)
                seconds = time.perf_counter() - begun - frames.seconds
                if earlier:
                    seconds += earlier.answers[recording.id].seconds
                    bar.advance(len(recording))
                record.answers[recording.id] = _keep(folder, recording.id, roll, seconds=seconds)
                write_record(folder, record)
    except BaseException as error:
        cancelled = isinstance(error, KeyboardInterrupt)
        record.status = "cancelled" if cancelled else "error"
        record.error = None if cancelled else "".join(traceback.format_exception(error))
        with suppress(OSError):  # the disk may be full; the error itself matters more
            write_record(folder, record)
        if cancelled:
            done = f"{len(record.answers)} of {len(recordings)} recordings of {record.system}"
            raise KeyboardInterrupt(f"{done} are kept in {folder}; the same command continues") from error
        raise
    if len(record.answers) == len(names):
        record.status, record.finished = "success", _now()
    write_record(folder, record)
    return record


def keep_answers(
    folder: Path,
    system: str,
    source: Path,
    corpus: Corpus,
    split: str,
    rolls: Iterable[tuple[str, np.ndarray, np.ndarray | None]],
    *,
    trained_on: Sequence[str],
    facts: Mapping[str, Any],
    limit: int | None = None,
    command: Sequence[str] = (),
) -> RunRecord:
    """Make a finished run folder of answers that are there already; no model runs.

    Parameters
    ----------
    folder : Path
        The run folder.
    system : str
        What the answers go by.
    source : Path
        Where they came from.
    rolls : iterable of (str, np.ndarray, np.ndarray or None)
        Recording id; roll, shape (88, T), float32; which frames it answers for, shape (T,), bool, None for
        all.
    """
    stage = StageRecord(
        name=system,
        file=str(source),
        sha256="",  # no file of code answered; the rolls have hashes of their own
        weights=None,
        weights_sha256=None,
        trained_on=list(trained_on),
        facts=dict(facts),
    )
    record = _new_record([stage], corpus, split, limit, 0, command)
    record.answers = {name: _keep(folder, name, roll, answered) for name, roll, answered in rolls}
    record.status, record.finished = "success", _now()
    write_record(folder, record)
    return record


def score_run(folder: Path, thresholds: Sequence[float] = THRESHOLDS, corpus: Corpus | None = None) -> Scores:
    """Score a run folder's rolls against the truth and write ``scores.json``; no model runs.

    Parameters
    ----------
    folder : Path
    thresholds : sequence of float
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
            "answered; run the same `audeo-bench midi` command again to finish it."
        )
    corpus = corpus or open_corpus(record.corpus.name, record.corpus.seed)
    check_same_corpus(folder, record, corpus_record(corpus, record.corpus.split))
    recordings = {r.id: r for r in split_recordings(corpus, record.corpus.split, record.limit)}
    rolls, pressed, notes = {}, {}, {}
    for name, recording in recordings.items():
        roll = read_roll(folder, name)
        if name not in record.answers or roll_sha256(roll) != record.answers[name].roll_sha256:
            raise AudeoBenchError(
                f"{roll_path(folder, name)}: not the roll that run.json names; delete it and predict again."
            )
        answered = read_answered(folder, name)
        scored = slice(None) if answered is None else answered
        if answered is not None and not answered.any():
            continue
        rolls[name] = (recording.sounding[:, scored], roll[:, scored])
        if recording.pressed is not None:
            pressed[name] = recording.pressed[:, scored]
        if recording.notes is not None and (answered is None or answered.all()):
            notes[name] = recording.notes
    with progress_bar(f"scoring {record.system}", len(rolls), "recordings") as bar:
        scores = score_rolls(
            rolls,
            Subject(
                corpus=record.corpus.name,
                version=record.corpus.version,
                seed=record.corpus.seed,
                split=record.corpus.split,
                split_hash=record.corpus.split_hash,
                provenance=record.corpus.provenance,
                limit=record.limit,
            ),
            thresholds,
            pressed=pressed,
            notes=notes,
            progress=lambda _: bar.advance(),
        )
    scores.write(folder / "scores.json")
    return scores


def check_roll(answer: Any, frames: int, contestant: str, recording: str) -> np.ndarray:
    """A contestant's answer as float32 of shape (88, frames), or one clear error that says what it was
    instead.
    """

    def refuse(found: str) -> AudeoBenchError:
        return AudeoBenchError(
            f"{contestant}, recording {recording}: the answer must be float32 in [0, 1] of shape "
            f"({KEYS}, {frames}), {found}."
        )

    if hasattr(answer, "detach"):
        answer = answer.detach().cpu()
    try:
        roll = np.asarray(answer)
    except Exception as error:
        raise refuse(f"but it is {type(answer).__name__}, which is no array ({error})") from error
    if roll.dtype != np.bool_ and not np.issubdtype(roll.dtype, np.floating):
        raise refuse(f"but its dtype is {roll.dtype}")
    if roll.shape != (KEYS, frames):
        turned = "; it looks transposed" if roll.shape == (frames, KEYS) else ""
        raise refuse(f"but its shape is {roll.shape}{turned}")
    if not np.isfinite(roll).all():
        key, frame = np.argwhere(~np.isfinite(roll))[0]
        raise refuse(
            f"but {(~np.isfinite(roll)).sum()} values are not finite, first at key {key}, frame {frame}"
        )
    if roll.min() < 0 or roll.max() > 1:
        raise refuse(
            f"but its values run from {roll.min():.4g} to {roll.max():.4g}; apply a sigmoid to logits"
        )
    return np.ascontiguousarray(roll, np.float32)


def corpus_record(corpus: Corpus, split: str) -> CorpusRecord:
    return CorpusRecord(
        name=corpus.name,
        version=corpus.version,
        seed=corpus.seed,
        provenance=corpus.provenance,
        split=split,
        split_hash=corpus.split_hash(split),
    )


def _new_record(
    stages: list[StageRecord],
    corpus: Corpus,
    split: str,
    limit: int | None,
    seed: int,
    command: Sequence[str],
) -> RunRecord:
    return RunRecord(
        status="started",
        system="+".join(stage.name for stage in stages),
        stages=stages,
        corpus=corpus_record(corpus, split),
        limit=limit,
        seed=seed,
        code_sha256=provenance.code_sha256(),
        commit=provenance.commit(),
        versions=provenance.versions(),
        hardware=provenance.hardware(),
        command=list(command),
        started=_now(),
    )


def _kept_answers(folder: Path, record: RunRecord, names: Sequence[str]) -> dict[str, Answer]:
    """Answers of an earlier, stopped or smaller run that this one may keep; stale ones are removed."""
    if not (folder / "run.json").exists():
        return {}
    old = read_record(folder)
    check_same_corpus(folder, old, record.corpus)
    kept = {}
    if old.identity() == record.identity():
        for name in names:
            answer = old.answers.get(name)
            with suppress(AudeoBenchError):  # a damaged answer is simply asked for again
                if answer and roll_sha256(read_roll(folder, name)) == answer.roll_sha256:
                    kept[name] = answer
    for path in (folder / "rolls").glob("*.npz"):
        if path.stem not in kept:
            path.unlink()
    if len(kept) < len(names):
        (folder / "scores.json").unlink(missing_ok=True)
    return kept


def _keep(
    folder: Path, recording: str, roll: np.ndarray, answered: np.ndarray | None = None, seconds: float = 0.0
) -> Answer:
    arrays = {"roll": roll} if answered is None else {"roll": roll, "answered": answered}
    with atomic_write(roll_path(folder, recording)) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)
    frames = roll.shape[1] if answered is None else int(answered.sum())
    return Answer(
        frames=frames,
        seconds=round(seconds, 6),
        frames_per_second=round(frames / seconds, 1) if seconds > 0 else 0.0,
        roll_sha256=roll_sha256(roll),
    )


def _describe(contestant: Contestant, stage: Stage) -> StageRecord:
    return StageRecord(
        name=contestant.name,
        file=_place(contestant.path),
        sha256=contestant.sha256,
        weights=_place(contestant.weights) if contestant.weights else None,
        weights_sha256=contestant.weights_sha256,
        trained_on=list(stage.trained_on),
        facts=stage.describe(),
    )


def _place(path: Path) -> str:
    root = checkout()
    return str(path.relative_to(root) if root and path.is_relative_to(root) else path)


def _answer(stage: Stage, contestant: Contestant, source: Any, recording: Recording) -> np.ndarray:
    try:
        if isinstance(stage, VideoToRoll):
            answer = stage.roll(source)
        else:
            assert isinstance(stage, RollToMidi), stage
            answer = stage.midi(source)
    except AudeoBenchError:
        raise
    except OSError:
        raise
    except Exception as error:
        lines = [
            f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(contestant.path)
        ]
        where = f", line {lines[-1]}" if lines else ""
        raise AudeoBenchError(
            f"{contestant.path}{where}: {contestant.name} failed on recording {recording.id}: "
            f"{type(error).__name__}: {error} (traceback: run.json)."
        ) from error
    return check_roll(answer, len(recording), contestant.name, recording.id)


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


def seed_everything(seed: int, recording: str) -> None:
    number = int.from_bytes(hashlib.sha256(f"{seed} {recording}".encode()).digest()[:4], "big")
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002 (a stranger's contestant may use numpy's global generator)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(number)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
