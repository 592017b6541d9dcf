"""Boards from rows: read every committed row, group and rank."""

from __future__ import annotations

import errno
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from audeo_bench.corpus.audeo.recordings import AudeoRecorded
from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import locked, sha256_of
from audeo_bench.leaderboards.rows import read_row, row_paths
from audeo_bench.places import checkout, shipped
from audeo_bench.records import Row, Subject, Verifications, Verified, read
from audeo_bench.roll import FRAMES_PER_SECOND
from audeo_bench.score import MAIN, frame_sums
from audeo_bench.score.statistics import shared_ranks

VERIFIED = "verified.json"
"""Which rows ``leaderboard verify`` computed again."""


@dataclass(frozen=True)
class Entry:
    """One row of a board.

    Attributes
    ----------
    row : Row
    rank : int
        1 is best; entries that the blocks cannot tell from a group's leader share its rank.
    verified : Verified or None
        ``audeo-bench leaderboard verify`` computed this very row again from its rolls; None: it is only
        reported.
    """

    row: Row
    rank: int
    verified: Verified | None


@dataclass(frozen=True)
class Board:
    """All entries of one corpus and split, best first."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def subject(self) -> Subject:
        return self.entries[0].row.subject

    def thresholds(self) -> list[float]:
        """What all entries were scored at."""
        return sorted(set.intersection(*(set(entry.row.scores.thresholds) for entry in self.entries)))

    def facts(self) -> str:
        """One line on the recordings behind the board."""
        answers, subject = self.entries[0].row.answers.values(), self.subject
        frames = sum(answer.frames for answer in answers)
        return (
            f"{len(answers)} recordings, {frames:,} frames ({frames / FRAMES_PER_SECOND / 60:.1f} minutes) "
            "at "
            f"{FRAMES_PER_SECOND} a second; truth: what is {subject.truth}; corpus version "
            f"{subject.version}, split "
            f"{subject.split_hash[:12]}, metrics version {self.entries[0].row.scores.metric_version}."
        )


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
        _refuse_mixture(path, row, groups[row.board][0])
        found = known.get(f"{row.board}/{row.contestant}")
        if found and found.row_sha256 == sha256_of(path):
            verified[row.board, row.contestant] = found
    return [
        Board(
            name,
            tuple(Entry(row, place, verified.get((name, row.contestant))) for row, place in ranked(rows)),
        )
        for name, rows in groups.items()
    ]


def ranked(rows: Sequence[Row]) -> list[tuple[Row, int]]:
    """Rows of one board from best to worst by :data:`MAIN`; a rank is shared where the leader's lead may be
    nothing.
    """
    by_name = {row.contestant: row for row in rows}
    ranks = shared_ranks({row.contestant: frame_sums(row.scores, MAIN.keys) for row in rows}, MAIN)
    return [(by_name[place.name], place.rank) for place in ranks]


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
    for field in type(row.subject).model_fields:
        found, expected = getattr(row.subject, field), getattr(first.subject, field)
        if found != expected:
            raise AudeoBenchError(
                f"{path}: {field} is {found!r}, but {expected!r} for {first.contestant} on the same board; "
                "rows of "
                "different recordings are never merged: submit the older one again or remove it."
            )
    # The authors' released answers leave frames out, which verifying holds against the release.
    released = row.subject.corpus == AudeoRecorded.name and "files" in (row.answered_by, first.answered_by)
    if not released and _truths(row) != _truths(first):
        raise AudeoBenchError(
            f"{path}: answers for other recordings, frames or truth than {first.contestant} on the same "
            "board; submit the older one again or remove it."
        )
