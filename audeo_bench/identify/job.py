"""The whole job of ``audeo-bench identify``: play, cut, ask, judge, add up; resumable at any point."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from audeo_bench.api import Work
from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.sound import read_sound
from audeo_bench.identify.asking import ask_all
from audeo_bench.identify.ledger import Ledger, Query
from audeo_bench.identify.players import SystemPlayer, table2_players
from audeo_bench.identify.segments import Segment, cut, segment_count
from audeo_bench.identify.service import Service
from audeo_bench.identify.table import add_up, in_papers_order
from audeo_bench.identify.titles import RULES_VERSION
from audeo_bench.paper.reported import reported
from audeo_bench.progress import progress_bar, tell
from audeo_bench.records import (
    CorpusName,
    Identification,
    IdentificationRow,
    Origin,
    StageRecord,
    read,
    write,
)

if TYPE_CHECKING:
    from audeo_bench.corpus import Corpus

SPLITS = ("wtc1-variants", "wtc2-other")
"""The identification test."""
LEDGER, RESULT = "identify.sqlite", "identify.json"
_OFFLINE_SECONDS = 0.05
"""What an offline listener needs for a query, roughly."""


@dataclass(frozen=True)
class Listening:
    """Who is asked.

    Attributes
    ----------
    names : tuple of str
        ``pitch``, ``landmark``, ``shazam``.
    catalogue : Path or None
        What the offline listeners know; None is the embedded catalogue.
    per_minute : float
        Queries a minute to the public service.
    """

    names: tuple[str, ...] = ("pitch", "landmark")
    catalogue: Path | None = None
    per_minute: float = 4

    def open(self, corpus_seed: int = 0) -> list[Service]:
        """The listeners, ready to be asked; the embedded catalogue is built where it is not there yet."""
        from audeo_bench.identify.catalogue.embedded import embedded_catalogue
        from audeo_bench.identify.catalogue.engine import CatalogueService
        from audeo_bench.identify.catalogue.store import Catalogue
        from audeo_bench.identify.shazam import Pacing, ShazamService

        services: list[Service] = []
        known = None
        for name in dict.fromkeys(self.names):
            if name == "shazam":
                services.append(ShazamService(Pacing(per_minute=self.per_minute)))
                continue
            known = known or (
                Catalogue(self.catalogue) if self.catalogue else embedded_catalogue(corpus_seed)
            )
            services.append(CatalogueService(name, known))  # type: ignore[arg-type]
        return services

    def seconds_per_query(self, name: str) -> float:
        from audeo_bench.identify.shazam import Pacing

        return Pacing(per_minute=self.per_minute).seconds_per_query if name == "shazam" else _OFFLINE_SECONDS


@dataclass(frozen=True)
class Programme:
    """What is played.

    Attributes
    ----------
    corpus : Corpus
    systems : tuple of str
        Chains that end in a synthesizer, or ``truth``; empty for Table 2's.
    recording : str or None
        Only this one.
    limit : int or None
        Only the first so many recordings of each split.
    """

    corpus: Corpus
    systems: tuple[str, ...] = ()
    recording: str | None = None
    limit: int | None = None

    @property
    def quick_look(self) -> bool:
        return self.limit is not None or self.recording is not None

    def recordings(self) -> list[tuple[str, str]]:
        """(split, recording id) of everything that is played.

        Raises
        ------
        AudeoBenchError
            No such recording in the identification test.
        """
        found = [
            (split, name)
            for split in SPLITS
            for name in list(self.corpus.ids(split))[: self.limit]
            if self.recording in (None, name)
        ]
        if not found:
            raise AudeoBenchError(
                f"recording {self.recording!r}: not in {' or '.join(SPLITS)} of corpus {self.corpus.name}."
            )
        return found

    def folder(self, runs: Path) -> Path:
        """Where answers are kept, such as ``runs/identify-simulated``."""
        seed = f"-corpus{self.corpus.seed}" if self.corpus.seed else ""
        return runs / f"identify-{self.corpus.name}{seed}"


@dataclass(frozen=True)
class Plan:
    """How much a listener has been and would be asked."""

    service: str
    queries: int
    answered: int
    seconds: float

    @property
    def open(self) -> int:
        return self.queries - self.answered

    def __str__(self) -> str:
        return (
            f"{self.service}: {self.queries} queries, {self.answered} already answered, {self.open} to ask, "
            f"about {timedelta(seconds=round(self.seconds))}"
        )


def identify_corpus(
    programme: Programme, listening: Listening, runs: Path
) -> tuple[Path, list[IdentificationRow]]:
    """Let systems play the identification test and ask about every segment; every answer is kept.

    Parameters
    ----------
    runs : Path
        Where run folders go; the same call continues what was stopped.

    Returns
    -------
    result : Path
        ``identify.json``.
    rows : list of Row
    """
    folder = programme.folder(runs)
    recordings = programme.recordings()
    services = listening.open(programme.corpus.seed)
    players = table2_players(runs, programme.systems)
    segments: list[Segment] = []
    with Ledger(folder / LEDGER) as ledger:
        with progress_bar("play", len(players) * len(recordings), "recordings") as bar:
            for player in players:
                for split in SPLITS:
                    names = [name for part, name in recordings if part == split]
                    if names and isinstance(player, SystemPlayer):
                        limit = programme.limit if programme.recording is None else None
                        player.prepare(programme.corpus, split, limit, programme.recording)
                    for name in names:
                        bar.advance(0, note=f"{player.system} {name}")
                        heard = programme.corpus.recording(name)
                        pieces = cut(player.play(heard), f"{player.system}, {name}")
                        ledger.add_recording(player.system, name, split, heard.title, heard.work, pieces)
                        segments += pieces
                        bar.advance()
        for service in services:
            _ask(service, segments, ledger)
        asked = {(player.system, name) for player in players for _, name in recordings}
        rows = _judged(ledger, [(each.name, each.version) for each in services], asked)
    played = {player.system: player.stages for player in players if isinstance(player, SystemPlayer)}
    return _write_result(folder, rows, programme, played), rows


def judge_again(programme: Programme, runs: Path) -> tuple[Path, list[IdentificationRow]]:
    """Every kept answer's rows by today's title rules; nothing is played and nobody is asked."""
    folder = programme.folder(runs)
    with Ledger(folder / LEDGER) as ledger:
        rows = _judged(ledger, ledger.services())
    if not rows:
        raise AudeoBenchError(f"{folder}: no answers are kept there; identify without --rejudge first.")
    result = folder / RESULT
    played = read(result, Identification).systems if result.is_file() else {}
    return _write_result(folder, rows, programme, played), rows


def plan(programme: Programme, listening: Listening, runs: Path) -> list[Plan]:
    """How much would be asked: counted from the recordings' lengths; nothing is run, built or asked."""
    recordings = programme.recordings()
    systems = programme.systems or tuple(row.system for row in reported().table2.rows)
    pieces = {name: segment_count(programme.corpus.recording(name).seconds) for _, name in recordings}
    queries = len(systems) * sum(pieces.values())
    path = programme.folder(runs) / LEDGER
    plans = []
    for service in dict.fromkeys(listening.names):
        answered = 0
        if path.is_file():
            with Ledger(path) as ledger:
                answered = ledger.count_answered(service, systems, [name for _, name in recordings])
        answered = min(answered, queries)
        plans.append(
            Plan(service, queries, answered, (queries - answered) * listening.seconds_per_query(service))
        )
    return plans


def identify_files(
    paths: Sequence[Path], listening: Listening, runs: Path
) -> dict[tuple[str, str], list[Query]]:
    """Ask about any audio or video files.

    Returns
    -------
    dict of (service, version) to list of Query
        ``recording`` is the file's path as it was given.
    """
    noted: list[tuple[Path, list[Segment]]] = []
    for path in paths:
        heard = read_sound(path)
        tell(path, heard.remarks)
        segments = cut(heard.samples, str(path))
        if not segments:
            raise AudeoBenchError(f"{path}: shorter than 12 seconds, too short to be asked about.")
        noted.append((path, segments))
    services = listening.open()
    with Ledger(files_folder(paths, runs) / LEDGER) as ledger:
        for path, segments in noted:
            ledger.add_recording("file", str(path), "file", path.stem, Work("", ""), segments)
        every = [segment for _, segments in noted for segment in segments]
        for service in services:
            _ask(service, every, ledger)
        names = {str(path) for path in paths}
        return {
            (each.name, each.version): [
                q for q in ledger.queries(each.name, each.version) if q.recording in names
            ]
            for each in services
        }


def files_folder(paths: Sequence[Path], runs: Path) -> Path:
    """Where answers about files are kept: two files of one name in two folders have two places."""
    places = "\n".join(sorted(str(path.resolve()) for path in paths))
    return runs / f"identify-{paths[0].stem}-{hashlib.sha256(places.encode()).hexdigest()[:8]}"


def move_aside(folder: Path) -> Path | None:
    """Put a folder's earlier answers out of the way; returns where they are now."""
    ledger = folder / LEDGER
    if not ledger.is_file():
        return None
    moved = ledger.with_name(f"identify-until-{datetime.now(UTC):%Y%m%dT%H%M%S}.sqlite")
    for suffix in ("", "-wal", "-shm"):
        part = ledger.with_name(ledger.name + suffix)
        if part.exists():
            part.rename(moved.with_name(moved.name + suffix))
    return moved


def export_answers(folder: Path, path: Path) -> int:
    """Write a folder's kept answers as JSON lines; returns how many."""
    with Ledger(folder / LEDGER) as ledger:
        return ledger.export(path)


def _ask(service: Service, segments: Sequence[Segment], ledger: Ledger) -> None:
    with progress_bar(f"ask {service.name}", len(segments), "segments") as bar:
        asyncio.run(ask_all(service, segments, ledger, bar.advance))


def _judged(
    ledger: Ledger, services: Sequence[tuple[str, str]], asked: set[tuple[str, str]] | None = None
) -> list[IdentificationRow]:
    """Rows from the ledger alone; ``asked`` are the systems and recordings that count, None for all."""
    order = [row.system for row in reported().table2.rows]
    rows: list[IdentificationRow] = []
    for service, version in services:
        rows += in_papers_order(add_up(_queries(ledger, service, version, asked), service, version), order)
    return rows


def _queries(
    ledger: Ledger, service: str, version: str, asked: set[tuple[str, str]] | None
) -> Iterator[Query]:
    for query in ledger.queries(service, version):
        if asked is None or (query.system, query.recording) in asked:
            yield query


def _write_result(
    folder: Path,
    rows: Sequence[IdentificationRow],
    programme: Programme,
    played: Mapping[str, tuple[StageRecord, ...]],
) -> Path:
    """``identify.json``: every row with its counts and strips, and what made it."""
    corpus = programme.corpus
    record = Identification(
        corpus=CorpusName(name=corpus.name, version=corpus.version, seed=corpus.seed),
        provenance=corpus.provenance,
        quick_look=programme.quick_look,
        title_rules=RULES_VERSION,
        origin=Origin.here(),
        systems=dict(played),
        rows=list(rows),
    )
    return write(folder / RESULT, record)
