"""From a run folder to a row: validate, score again from the rolls, copy block sums and hashes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from audeo_bench.corpus import Corpus, open_corpus
from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import file_name
from audeo_bench.leaderboards.boards import held
from audeo_bench.leaderboards.excerpt import cut_excerpt
from audeo_bench.leaderboards.leaks import check_training
from audeo_bench.leaderboards.rows import row_path, write_row
from audeo_bench.provenance import code_digest
from audeo_bench.records import Credit, Row, RowAnswer, RunRecord, Scores, StageRecord, Times
from audeo_bench.runs.folder import read_record, read_roll
from audeo_bench.runs.scoring import score_run
from audeo_bench.score import MAIN


def submit(
    run: Path, folder: Path, name: str | None = None, replace: bool = False, credit: Credit | None = None
) -> Path:
    """Write the row of a finished run into ``folder`` (``leaderboards/``); returns its file.

    Parameters
    ----------
    run : Path
        The run folder.
    folder : Path
    name : str or None
        The contestant's name on the board; None takes the system's.
    replace : bool
        Whether a row of that name may be there already.
    credit : Credit or None
        Who made the model, and where it is described and kept.

    Raises
    ------
    AudeoBenchError
        See :func:`make_row`; a row of that name that is not to be replaced; a folder that cannot be written.
    """
    row = make_row(run, name).model_copy(update={"credit": credit})
    with held(folder):
        path = row_path(row, folder)
        if path.exists() and not replace:
            raise AudeoBenchError(
                f"{path}: there is a row of this name; write --replace to replace it, or choose another "
                "--name."
            )
        return write_row(row, folder)


def make_row(run: Path, name: str | None = None, corpus: Corpus | None = None) -> Row:
    """The row of a finished run, scored again from its rolls.

    Raises
    ------
    AudeoBenchError
        A run that is not finished or only a quick look, rolls that are damaged or not the run's, a corpus of
        another version, weights of unknown training data or a smoke training, or weights that saw a test
        recording.
    """
    record = read_record(run)
    subject = record.subject
    if subject.limit is not None:
        raise AudeoBenchError(
            f"{run}: a quick look at {subject.limit} recordings is for no board; run it without --limit."
        )
    corpus = corpus or open_corpus(subject.corpus, subject.seed)
    contestant = file_name(name or record.system)
    marks = _training_marks(record, corpus, contestant)
    return _row(run, record, contestant, marks, score_run(run, corpus=corpus, again=True), corpus)


def look_at(run: Path, name: str) -> Row:
    """A finished run as a row to be looked at, for no board: quick looks, trained on whatever.

    Raises
    ------
    AudeoBenchError
        A run that is not finished, damaged rolls, or a corpus of another version.
    """
    record = read_record(run)
    corpus = open_corpus(record.subject.corpus, record.subject.seed)
    return _row(run, record, file_name(name), (), score_run(run, corpus=corpus), corpus)


def _row(
    run: Path, record: RunRecord, contestant: str, marks: tuple[str, ...], scores: Scores, corpus: Corpus
) -> Row:
    return Row(
        board=record.subject.board,
        contestant=contestant,
        answered_by="harness" if all(stage.sha256 for stage in record.stages) else "files",
        stages=tuple(map(_for_all, record.stages)),
        marks=marks,
        answers={name: _answer(run, record, corpus, name) for name in scores.recordings},
        scores=scores,
        origin=record.origin,
        times=_times(record),
    )


def _for_all(stage: StageRecord) -> StageRecord:
    """A stage without the submitter's folders, its code as one digest."""
    return stage.model_copy(
        update={
            "file": _bare(stage.file),
            "weights": _bare(stage.weights),
            "code": {},
            "code_sha256": code_digest(stage.code) if stage.code else None,
        }
    )


def _bare(place: str | None) -> str | None:
    return Path(place).name if place is not None and Path(place).is_absolute() else place


def _training_marks(record: RunRecord, corpus: Corpus, contestant: str) -> tuple[str, ...]:
    for stage in record.stages:
        if stage.configuration.get("smoke"):
            raise AudeoBenchError(
                f"{contestant}: {stage.name} has the weights of a smoke training, a few steps; train it "
                "without --smoke and run it again."
            )
        if stage.weights_sha256 and not stage.trained_on:
            raise AudeoBenchError(
                f"{contestant}: {stage.name} has weights but does not say what they saw; set trained_on in "
                "its class, "
                'such as trained_on = ("simulated/wtc1",), and run it again.'
            )
    trained_on = sorted({name for stage in record.stages for name in stage.trained_on})
    return check_training(trained_on, corpus, record.subject.split, contestant)


def _answer(run: Path, record: RunRecord, corpus: Corpus, name: str) -> RowAnswer:
    recording, answer = corpus.recording(name), record.answers[name]
    return RowAnswer(
        title=recording.title,
        frames=answer.frames,
        roll_sha256=answer.roll_sha256,
        # What real films' labels say stays with the films: rows travel, labels are their makers'.
        excerpt=None
        if recording.provenance == "recorded"
        else cut_excerpt(read_roll(run, name), corpus.truth_of(recording), MAIN.threshold),
    )


def _times(record: RunRecord) -> Times:
    speed = record.frames_per_second
    return Times(
        started=record.started,
        submitted=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(record.seconds, 3) if record.seconds else None,
        frames_per_second=round(speed, 1) if speed else None,
    )


def find_runs(folder: Path) -> Iterable[Path]:
    """Every run folder below ``folder``."""
    return sorted(path.parent for path in folder.rglob("run.json"))


def credit_of(authors: str | None = None, paper: str | None = None, code: str | None = None) -> Credit | None:
    """What a submitter says of a model; None where nothing is said.

    Raises
    ------
    AudeoBenchError
        An address that is none.
    """
    if not (authors or paper or code):
        return None
    try:
        return Credit(authors=authors, paper=paper, code=code)
    except ValidationError as fault:
        first = fault.errors()[0]
        raise AudeoBenchError(
            f"submit --{first['loc'][0]} {first['input']!r}: give an address such as "
            "https://example.org/paper; authors in at most 300 characters."
        ) from fault
