"""Every answer ever given, in one SQLite file of the run folder.

An answer is committed before the next query is asked, so a killed run loses at most the query in flight,
and is never asked for again: answers are keyed by service, its version and the SHA-256 of the segment's
samples. Faults are kept apart, since a fault is not an answer: the next run asks again.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import asdict, astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audeo_bench.api import AudeoBenchError, Work
from audeo_bench.files import atomic_write
from audeo_bench.identify.segments import Segment
from audeo_bench.identify.service import Reply
from audeo_bench.identify.titles import Answer

SCHEMA = 1

_TABLES = """
CREATE TABLE answers (
    service TEXT NOT NULL, version TEXT NOT NULL, sha256 TEXT NOT NULL, answered_at TEXT NOT NULL,
    title TEXT NOT NULL, artist TEXT NOT NULL, album TEXT NOT NULL, response TEXT NOT NULL,
    PRIMARY KEY (service, version, sha256)
) WITHOUT ROWID;
CREATE TABLE faults (
    service TEXT NOT NULL, version TEXT NOT NULL, sha256 TEXT NOT NULL, happened_at TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX faults_by_segment ON faults (service, version, sha256);
CREATE TABLE recordings (
    system TEXT NOT NULL, recording TEXT NOT NULL, split TEXT NOT NULL, title TEXT NOT NULL,
    work TEXT NOT NULL,
    PRIMARY KEY (system, recording)
) WITHOUT ROWID;
CREATE TABLE segments (
    system TEXT NOT NULL, recording TEXT NOT NULL, position INTEGER NOT NULL, start REAL NOT NULL,
    seconds REAL NOT NULL, sha256 TEXT NOT NULL,
    PRIMARY KEY (system, recording, position)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Query:
    """One segment of one recording as one system played it, with the answer or the last fault, if any."""

    system: str
    recording: str
    split: str
    title: str
    work: Work
    index: int
    start: float
    seconds: float
    sha256: str
    reply: Reply | None
    fault: str | None


class Ledger:
    """The answers of one run folder; a context manager.

    Parameters
    ----------
    path : Path
        Created where absent.

    Raises
    ------
    AudeoBenchError
        If the file is not a ledger of this schema.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = sqlite3.connect(path, timeout=30, isolation_level=None)
        except sqlite3.OperationalError as problem:
            raise _explained(path, problem) from problem
        try:
            # WAL survives a kill at any moment; FULL also survives a power cut.
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            self._create_tables()
        except sqlite3.DatabaseError as problem:
            self._database.close()
            raise _explained(path, problem) from problem

    def _create_tables(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        schema = self._database.execute("PRAGMA user_version").fetchone()[0]
        if schema == 0:
            for statement in _TABLES.split(";"):
                self._database.execute(statement)
            self._database.execute(f"PRAGMA user_version={SCHEMA}")
        self._database.execute("COMMIT")
        if schema not in (0, SCHEMA):
            self._database.close()
            raise AudeoBenchError(
                f"{self.path}: a ledger of schema {schema}, this program reads {SCHEMA}; update it."
            )

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, kind: object, problem: object, trace: object) -> None:
        self._database.close()
        if isinstance(problem, sqlite3.Error):
            raise _explained(self.path, problem) from problem

    def add_recording(
        self, system: str, recording: str, split: str, title: str, work: Work, segments: Iterable[Segment]
    ) -> None:
        """Note what will be asked about; replaces what was noted for this system and recording."""
        rows = [
            (system, recording, segment.index, segment.start, segment.seconds, segment.sha256)
            for segment in segments
        ]
        self._database.execute("BEGIN IMMEDIATE")
        self._database.execute("DELETE FROM segments WHERE system = ? AND recording = ?", (system, recording))
        self._database.executemany("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._database.execute(
            "INSERT OR REPLACE INTO recordings VALUES (?, ?, ?, ?, ?)",
            (system, recording, split, title, json.dumps(asdict(work), ensure_ascii=False)),
        )
        self._database.execute("COMMIT")

    def find(self, service: str, version: str, sha256: str) -> Reply | None:
        """The answer to a segment, None where nobody has answered."""
        row = self._database.execute(
            "SELECT title, artist, album, response FROM answers "
            "WHERE service = ? AND version = ? AND sha256 = ?",
            (service, version, sha256),
        ).fetchone()
        return None if row is None else Reply(Answer(*row[:3]), json.loads(row[3]))

    def answered(
        self, services: Iterable[tuple[str, str]], system: str, recording: str
    ) -> frozenset[tuple[str, str]]:
        """The service's name and the SHA-256 of every noted segment of a recording that has an answer."""
        rows = [
            self._database.execute(
                "SELECT a.service, a.sha256 FROM segments s JOIN answers a USING (sha256) "
                "WHERE s.system = ? AND s.recording = ? AND a.service = ? AND a.version = ?",
                (system, recording, service, version),
            )
            for service, version in services
        ]
        return frozenset((service, sha256) for found in rows for service, sha256 in found)

    def record(self, service: str, version: str, sha256: str, reply: Reply) -> None:
        """Keep an answer; it is on the disk when this returns. The first answer to a segment stands."""
        answer = reply.answer
        self._database.execute(
            "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (service, version, sha256, _now(), *astuple(answer), _json(reply.response)),
        )

    def note_fault(self, service: str, version: str, sha256: str, message: str) -> None:
        """Keep why a query got no answer."""
        self._database.execute(
            "INSERT INTO faults VALUES (?, ?, ?, ?, ?)", (service, version, sha256, _now(), message)
        )

    def queries(self, service: str, version: str) -> Iterator[Query]:
        """Every noted segment with its answer or last fault, in order of system, recording and position."""
        rows = self._database.execute(
            """
            SELECT s.system, s.recording, r.split, r.title, r.work, s.position, s.start, s.seconds, s.sha256,
                   a.title, a.artist, a.album, a.response,
                   (SELECT f.message FROM faults f WHERE f.service = :service AND f.version = :version
                    AND f.sha256 = s.sha256 ORDER BY f.rowid DESC LIMIT 1)
            FROM segments s JOIN recordings r USING (system, recording)
            LEFT JOIN answers a ON a.service = :service AND a.version = :version AND a.sha256 = s.sha256
            ORDER BY s.system, s.recording, s.position
            """,
            {"service": service, "version": version},
        )
        for row in rows:
            reply = None if row[9] is None else Reply(Answer(*row[9:12]), json.loads(row[12]))
            fault = row[13] if reply is None else None
            system, recording, split, title, work, index, start, seconds, sha256 = row[:9]
            work = Work(**json.loads(work))
            yield Query(system, recording, split, title, work, index, start, seconds, sha256, reply, fault)

    def services(self) -> list[tuple[str, str]]:
        """(service, version) of everyone who was ever asked, the latest last."""
        rows = self._database.execute(
            """
            SELECT service, version FROM (
                SELECT service, version, answered_at AS moment FROM answers
                UNION ALL SELECT service, version, happened_at FROM faults
            ) GROUP BY service, version ORDER BY MAX(moment)
            """
        )
        return [(service, version) for service, version in rows]

    def count_answered(self, service: str, systems: Iterable[str], recordings: Iterable[str]) -> int:
        """How many noted segments of these systems and recordings any version of a service has answered."""
        wanted = {(system, recording) for system in systems for recording in recordings}
        rows = self._database.execute(
            """
            SELECT system, recording, COUNT(*) FROM segments s
            WHERE EXISTS (SELECT 1 FROM answers a WHERE a.service = ? AND a.sha256 = s.sha256)
            GROUP BY system, recording
            """,
            (service,),
        )
        return sum(count for system, recording, count in rows if (system, recording) in wanted)

    def export(self, path: Path) -> int:
        """Write one JSON object a line for every query and service, whole responses included; count them."""
        lines = 0
        with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
            for service, version in self.services():
                for query in self.queries(service, version):
                    record = {"service": service, "version": version, **asdict(query)}
                    stream.write(_json(record) + "\n")
                    lines += 1
        return lines


def _explained(path: Path, problem: sqlite3.Error) -> Exception:
    """What to tell the user: a full or read-only disk is no fault of the file."""
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return PermissionError(errno.EACCES, str(problem), str(path))
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return AudeoBenchError(f"{path}: in use by another command; wait until it is done.")
    if code == sqlite3.SQLITE_IOERR:
        return OSError(errno.EIO, str(problem), str(path))
    return AudeoBenchError(f"{path}: not a ledger ({problem}); move the file away.")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
