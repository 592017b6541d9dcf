"""The boards' rows as files: ``leaderboards/<board>/<contestant>.json``, which review as a diff."""

from __future__ import annotations

from pathlib import Path

from audeo_bench.errors import AudeoBenchError
from audeo_bench.files import file_name
from audeo_bench.records import Row, read, write
from audeo_bench.score import MAIN

AGAIN = "restore the file or submit the run again"


def row_path(row: Row, folder: Path) -> Path:
    return folder / row.board / f"{file_name(row.contestant)}.json"


def row_paths(folder: Path) -> list[Path]:
    """The files of all rows in alphabetical order; a temporary file left by a kill is none."""
    return sorted(path for path in folder.glob("*/*.json") if not path.name.startswith("."))


def write_row(row: Row, folder: Path) -> Path:
    """Write ``row`` into ``folder`` (``leaderboards/``), whole or not at all; returns the file."""
    return write(row_path(row, folder), row)


def read_row(path: Path) -> Row:
    """Read one row strictly.

    Raises
    ------
    AudeoBenchError
        See :func:`audeo_bench.records.read`; also a row that lies in another board's folder or under another
        name than it says, one of a quick look, or one that was not scored where boards rank.
    """
    row = read(path, Row, AGAIN)
    if row.subject.limit is not None:
        raise AudeoBenchError(
            f"{path}: answers for the first {row.subject.limit} recordings alone, which is for no board; run "
            "it without --limit and submit that, or remove the file."
        )
    if MAIN.threshold not in row.scores.thresholds:
        raise AudeoBenchError(
            f"{path}: holds no scores at threshold {MAIN.threshold:g}; submit the run again."
        )
    if row_path(row, path.parents[1]) != path:
        raise AudeoBenchError(
            f"{path}: the row says {row.board}/{row.contestant}; move it to "
            f"{row.board}/{file_name(row.contestant)}.json or submit it again."
        )
    return row
