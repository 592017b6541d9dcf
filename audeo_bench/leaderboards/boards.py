"""Boards from rows: read every committed row, group and rank."""

from __future__ import annotations

import errno
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from audeo_bench.corpus.audeo.recordings import AudeoRecorded
from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import locked, sha256_of
from audeo_bench.leaderboards.rows import read_row, row_paths
from audeo_bench.leaderboards.trainings import by_training, trained_on
from audeo_bench.places import checkout, shipped
from audeo_bench.records import KeyRange, NoteMetric, Row, Subject, Verifications, Verified, read
from audeo_bench.roll import FRAMES_PER_SECOND
from audeo_bench.score import MAIN, Measure, frame_sums, mean_note_f1, measure_of, percents
from audeo_bench.score.frames import AVERAGES, KEY_RANGES, METRICS, FrameCounts
from audeo_bench.score.spread import RECORDINGS_FROM, Trainings, interval
from audeo_bench.score.statistics import Standing, compare

VERIFIED = "verified.json"
"""Which rows ``leaderboard verify`` computed again."""
ANSWERS_ONLY = "answers only: rolls handed in as files; the harness never ran the model"


@dataclass(frozen=True)
class Entry:
    """One line of a board: a contestant, or the trainings of one that differ in the seed alone.

    Attributes
    ----------
    name : str
    rows : tuple of Row
        One for each training seed.
    rank : int
        1 is best.
    shared : bool
        Whether others have this rank.
    ties : tuple of int
        The groups it is in, numbered from 0: a group's lines are not shown to differ from its first.
    beats : tuple of str
        The lines that are shown to be worse.
    verified : tuple of (Verified or None)
        For each row: ``audeo-bench leaderboard verify`` computed it again from its rolls; None: it is only
        reported.
    """

    name: str
    rows: tuple[Row, ...]
    rank: int
    shared: bool
    ties: tuple[int, ...]
    beats: tuple[str, ...]
    verified: tuple[Verified | None, ...]

    @property
    def trained_on(self) -> str:
        return trained_on(self.rows[0].stages)

    @property
    def marks(self) -> tuple[str, ...]:
        """All rows' marks, and which rows' answers came from outside."""
        marks = dict.fromkeys(mark for row in self.rows for mark in row.marks)
        outside = any(row.answered_by == "files" for row in self.rows)
        return (*((ANSWERS_ONLY,) if outside else ()), *marks)

    def numbers(self, measure: Measure) -> Numbers:
        """Means over training seeds, in percent, with their spread over seeds and their interval."""
        if measure not in self._known:
            self._known[measure] = numbers_of(self.sums[measure.keys], measure)
        return self._known[measure]

    @cached_property
    def _known(self) -> dict[Measure, Numbers]:
        return {}

    @cached_property
    def sums(self) -> dict[KeyRange, list[dict[str, FrameCounts]]]:
        """Block sums by key range, for each training seed, by recording."""
        return {keys: [frame_sums(row.scores, keys) for row in self.rows] for keys in KEY_RANGES}

    def note_f1(self, name: NoteMetric, threshold: float = MAIN.threshold) -> float | None:
        """Mean over training seeds of the mean over recordings, in percent; None where notes are unknown."""
        each = [mean_note_f1(row.scores, name, threshold) for row in self.rows]
        known = [value for value in each if value is not None]
        return sum(known) / len(known) if len(known) == len(each) else None


@dataclass(frozen=True)
class Numbers:
    """A line's values by one measure, in percent.

    Attributes
    ----------
    values : dict of str to float
        Precision, recall, accuracy and F1, means over training seeds.
    low, high : float or None
        95 % interval of F1 over units (:mod:`audeo_bench.score.spread`); None where a single block is all
        there is.
    seeds : tuple of float
        F1 of each training seed.
    """

    values: dict[str, float]
    low: float | None
    high: float | None
    seeds: tuple[float, ...]


def numbers_of(trainings: Trainings, measure: Measure) -> Numbers:
    """See :class:`Numbers`."""
    each = [percents(sums, measure) for sums in trainings]
    low, high = (100 * end for end in interval(trainings, measure))
    return Numbers(
        values={name: sum(values[name] for values in each) / len(each) for name in METRICS},
        low=low if low == low else None,
        high=high if high == high else None,
        seeds=tuple(values["f1"] for values in each),
    )


@dataclass(frozen=True)
class Board:
    """All lines of one corpus and split, best first by ``measure``."""

    name: str
    entries: tuple[Entry, ...]
    standing: Standing

    @property
    def subject(self) -> Subject:
        """Of all rows; that of one that names its truth, which older rows do not."""
        subjects = [row.subject for entry in self.entries for row in entry.rows]
        return next((subject for subject in subjects if subject.truth_by), subjects[0])

    @property
    def measure(self) -> Measure:
        return self.standing.measure

    @property
    def beside(self) -> Measure:
        """F1 by the other average, on all keys."""
        other = next(each for each in AVERAGES if each != self.measure.average)
        return Measure("f1", other, "88", self.measure.threshold)  # type: ignore[arg-type]

    def thresholds(self) -> list[float]:
        """What all rows were scored at."""
        rows = [row for entry in self.entries for row in entry.rows]
        return sorted(set.intersection(*(set(row.scores.thresholds) for row in rows)))

    def facts(self) -> str:
        """One line on the recordings behind the board."""
        first, subject = self.entries[0].rows[0], self.subject
        frames = sum(answer.frames for answer in first.answers.values())
        by = f" ({subject.truth_by})" if subject.truth_by else ""
        part = f" ({subject.films_here})" if subject.films_here else ""
        return (
            f"{len(first.answers)} recordings{part}, {frames:,} frames "
            f"({frames / FRAMES_PER_SECOND / 60:.1f} minutes) at "
            f"{FRAMES_PER_SECOND} a second; truth: what is {subject.truth}{by}; corpus version "
            f"{subject.version}, split "
            f"{subject.split_hash[:12]}, metrics version {first.scores.metric_version}."
        )

    def reading(self) -> str:
        """See :func:`reading`."""
        return reading(self.standing)


def reading(standing: Standing) -> str:
    """What ranks, intervals and verdicts of these systems say, and what difference they could have seen."""
    recordings = len(next(iter(standing.systems.values())).recordings)
    if standing.unit == "recordings":
        units = f"Intervals (95 %) and ranks speak of recordings like these {recordings}."
    else:
        units = (
            f"Intervals (95 %) and ranks speak of these {recordings} recordings alone, by their blocks of 20 "
            f"seconds: fewer than {RECORDINGS_FROM} say nothing of new ones."
        )
    rule = (
        "A rank ends where all above are shown to be better than all below: paired, Holm over all pairs, 5 %."
    )
    seen = standing.detectable()
    if seen != seen:
        return f"{units} {rule}"
    return f"{units} {rule} A difference of {100 * seen:.1f} points would be shown in 80 % of such tables."


def read_boards(folder: Path) -> list[Board]:
    """Read every row below ``folder`` and rank each board.

    Raises
    ------
    AudeoBenchError
        No such folder, a row that is not readable, or rows in one folder that answer for different
        recordings.
    """
    if not folder.is_dir():
        raise AudeoBenchError(f"{folder}: no such folder; name the folder of the boards with --boards.")
    groups: dict[str, list[Row]] = defaultdict(list)
    verified, known = {}, read_verified(folder)
    for path in row_paths(folder):
        row = read_row(path)
        groups[row.board].append(row)
        # One that names its truth, which older rows of films do not, is the one to hold the others against.
        named = (each for each in groups[row.board] if each.subject.truth_by)
        _refuse_mixture(path, row, next(named, groups[row.board][0]))
        found = known.get(f"{row.board}/{row.contestant}")
        if found and found.row_sha256 == sha256_of(path):
            verified[row.board, row.contestant] = found
    return [board_of(name, rows, verified) for name, rows in groups.items()]


def lines(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows of one board, those together that differ in the training seed alone."""
    return by_training(rows, lambda row: (row.contestant, row.stages))


def board_of(name: str, rows: Sequence[Row], verified: Mapping[tuple[str, str], Verified]) -> Board:
    """Rank rows that answer for the same recordings."""
    grouped = lines(rows)
    systems = {line: [row.scores for row in together] for line, together in grouped.items()}
    standing = compare(systems, measure_of(rows[0].subject))
    entries = (
        Entry(
            line,
            tuple(grouped[line]),
            rank,
            standing.shared(line),
            standing.ties[line],
            tuple(standing.beaten_by(line)),
            tuple(verified.get((name, row.contestant)) for row in grouped[line]),
        )
        for line, rank in standing.ranks.items()
    )
    return Board(name, tuple(entries), standing)


def read_verified(folder: Path) -> dict[str, Verified]:
    """``verified.json``: what ``leaderboard verify`` computed again, by ``board/contestant``."""
    path = folder / VERIFIED
    remedy = "delete it and run `audeo-bench leaderboard verify`"
    return read(path, Verifications, remedy).rows if path.exists() else {}


def boards_folder(chosen: Path | None = None, write: bool = False) -> Path:
    """The folder of the boards: the chosen one, ``leaderboards`` here, the checkout's, or the one that came
    with the package.

    To write, the last is out of the question: then it is ``leaderboards`` here, new.
    """
    here = Path("leaderboards")
    if chosen is not None:
        return chosen
    if here.is_dir() or (write and checkout() is None):
        return here
    return shipped("leaderboards")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the folder of the boards against other processes that write rows or boards.

    Raises
    ------
    AudeoBenchError
        Another process holds it too long, or the folder cannot be written.
    """
    try:
        with locked(folder):
            yield
    except OSError as fault:
        if fault.errno not in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT):
            raise
        raise AudeoBenchError(
            f"{folder}: cannot be written ({fault.strerror}); name a folder of your own with --boards."
        ) from fault


def _truths(row: Row) -> dict[str, list[int]]:
    """How many keys sound in each block, by recording: the same for every answer."""
    blocks = {name: recording.blocks["88"] for name, recording in row.scores.recordings.items()}
    return {
        name: [found + missed for found, missed in zip(sums.tp[0], sums.fn[0], strict=True)] + sums.frames[0]
        for name, sums in blocks.items()
    }


def _refuse_mixture(path: Path, row: Row, first: Row) -> None:
    for field, found, expected in row.subject.differences(first.subject):
        raise AudeoBenchError(
            f"{path}: {field} is {found!r}, but {expected!r} for {first.contestant} on the same board; rows "
            "of different recordings are never merged: submit the older one again or remove it."
        )
    # The authors' released answers leave frames out, which verifying holds against the release.
    released = row.subject.corpus == AudeoRecorded.name and "files" in (row.answered_by, first.answered_by)
    if not released and _truths(row) != _truths(first):
        raise AudeoBenchError(
            f"{path}: answers for other recordings, frames or truth than {first.contestant} on the same "
            "board; submit the older one again or remove it."
        )
