"""The whole job of ``audeo-bench identify``: play, cut, ask, judge, add up; resumable at any point."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from audeo_bench.api import Work
from audeo_bench.contestants.parcel import Parcel, pack
from audeo_bench.crew import Crew, Unit
from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.sound import read_sound
from audeo_bench.identify.asking import ask_all
from audeo_bench.identify.catalogue.engine import CatalogueService
from audeo_bench.identify.hearing import Ears, Heard, Played, hear
from audeo_bench.identify.ledger import Ledger, Query
from audeo_bench.identify.players import answered_rolls, rolls_of, table2_systems
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
from audeo_bench.runs.predict import stage_record
from audeo_bench.runs.spread import look

if TYPE_CHECKING:
    from audeo_bench.contestants.loading import System
    from audeo_bench.corpus import Corpus
    from audeo_bench.runs.folder import Run

SPLITS = (("wtc1-variants", "wtc2-other"), ("known",), ("wtc2",))
"""The identification test: what a corpus has of the first of these of which it has any."""
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
    ask_anyway : bool
        Ask the public service about music that nobody ever recorded, too.
    """

    names: tuple[str, ...] = ("pitch", "landmark")
    catalogue: Path | None = None
    per_minute: float = 4
    ask_anyway: bool = False

    def check(self, corpus: Corpus) -> None:
        """Refuse to ask the public service what it cannot know."""
        if "shazam" in self.names and corpus.provenance == "simulated" and not self.ask_anyway:
            raise AudeoBenchError(
                f"identify --service shazam: a program composed the pieces of corpus {corpus.name}, and "
                "nobody ever recorded them: shazam can name none. Ask about real works, as --corpus "
                "known-works has them, or add --ask-anyway."
            )

    def open(self, programme: Programme | None = None, who: Crew | None = None) -> list[Service]:
        """The listeners, ready to be asked; ``who`` builds the embedded catalogue if it is not there."""
        from audeo_bench.identify.catalogue.embedded import embedded_catalogue
        from audeo_bench.identify.catalogue.store import Catalogue
        from audeo_bench.identify.shazam import Pacing, ShazamService

        services: list[Service] = []
        known = None
        for name in dict.fromkeys(self.names):
            if name == "shazam":
                services.append(ShazamService(Pacing(per_minute=self.per_minute)))
                continue
            if known is None and self.catalogue:
                known = Catalogue(self.catalogue)
            elif known is None and programme:
                works = programme.corpus
                known = embedded_catalogue(works.name, works.seed, programme.quick_look, who)
            known = known or embedded_catalogue()
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

    @property
    def splits(self) -> tuple[str, ...]:
        there = self.corpus.splits()
        for splits in SPLITS:
            if found := tuple(split for split in splits if split in there):
                return found
        opens = "identify --corpus simulated, or --corpus known-works"
        if self.corpus.provenance == "recorded":
            classes = " and ".join(SPLITS[0])
            opens = f"a column `class` in the set's file opens one, with films of {classes} (docs/sets.md)"
        raise AudeoBenchError(
            f"corpus {self.corpus.name}: has no identification test, only {', '.join(there)}; {opens}."
        )

    def recordings(self) -> list[tuple[str, str]]:
        """(split, recording id) of everything that is played.

        Raises
        ------
        AudeoBenchError
            No such recording in the identification test.
        """
        found = [
            (split, name)
            for split in self.splits
            for name in list(self.corpus.ids(split))[: self.limit]
            if self.recording in (None, name)
        ]
        if not found:
            where = f"{' or '.join(self.splits)} of corpus {self.corpus.name}"
            raise AudeoBenchError(f"recording {self.recording!r}: not in {where}.")
        return found

    @property
    def units(self) -> int:
        """How much there is to play: every system, or row of Table 2, on every recording."""
        return len(self.systems or reported().table2.rows) * len(self.recordings())

    @property
    def films_here(self) -> str | None:
        """Such as ``2 of 3 films``, of each split that is not whole."""
        parts = {split: self.corpus.films_here(split) for split in self.splits}
        named = [f"{split} {part}" if len(parts) > 1 else part for split, part in parts.items() if part]
        return ", ".join(named) or None

    @property
    def facts(self) -> str:
        """What is played, for titles."""
        films = f", {self.films_here}" if self.films_here else ""
        return f"{self.corpus.provenance}: corpus {self.corpus.name} {self.corpus.version}{films}"

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
    programme: Programme,
    listening: Listening,
    runs: Path,
    who: Crew | None = None,
    on_rows: Callable[[list[IdentificationRow]], None] = lambda rows: None,
) -> tuple[Path, list[IdentificationRow]]:
    """Let systems play the identification test and ask about every segment; every answer is kept.

    Parameters
    ----------
    runs : Path
        Where run folders go; the same call continues what was stopped.
    who : Crew or None
        Who answers, plays and asks the offline listeners; None is this process.
    on_rows : callable
        Told each system's rows as soon as its last segment is answered.

    Returns
    -------
    result : Path
        ``identify.json``.
    rows : list of Row

    Raises
    ------
    AudeoBenchError
        The public service is asked about music that it cannot know; a system or a recording is not there.
    """
    listening.check(programme.corpus)
    who = who or Crew()
    folder, recordings = programme.folder(runs), programme.recordings()
    systems = table2_systems(programme.systems)
    services = listening.open(programme, who)
    chains = [chain for chain in systems.values() if chain is not None]
    rolls = answered_rolls(chains, programme.corpus, recordings, runs, who)
    played: dict[str, tuple[StageRecord, ...]] = {}
    with Ledger(folder / LEDGER) as ledger:
        with progress_bar("listen", len(systems) * len(recordings), "recordings") as bar:
            for system, chain in systems.items():
                segments = {}
                parcel = pack(chain.stages[-1], who.elsewhere) if chain else None
                if chain and parcel:
                    played[system] = _stages(chain, parcel, rolls, recordings, who)
                pieces = (
                    Played(
                        programme.corpus, name, system, rolls_of(rolls, chain, split, name) if chain else None
                    )
                    for split, name in recordings
                )
                for unit, heard in who.done(_units(pieces, parcel, ledger, services)):
                    if isinstance(heard, Heard):
                        piece = unit.given[0]
                        segments[piece.recording] = heard.segments
                        _keep(ledger, piece, heard, services)
                        bar.advance(note=unit.name)
                every = [segment for _, name in recordings for segment in segments[name]]
                for service in services:
                    if not isinstance(service, CatalogueService):
                        _ask(service, every, ledger)
                asked = {(system, name) for _, name in recordings}
                on_rows(_judged(ledger, [(each.name, each.version) for each in services], asked))
        asked = {(system, name) for system in systems for _, name in recordings}
        rows = _judged(ledger, [(each.name, each.version) for each in services], asked)
    return _write_result(folder, rows, programme, played), rows


def _stages(
    chain: System,
    synthesizer: Parcel,
    rolls: Mapping[str, Mapping[str, Run]],
    recordings: Sequence[tuple[str, str]],
    who: Crew,
) -> tuple[StageRecord, ...]:
    """What plays, stage by stage."""
    [(_, declared)] = who.done([Unit(f"start {chain.stages[-1].name}", look, (synthesizer, 0))])
    run = rolls[recordings[0][0]][chain.roll_name]
    return (*run.record.stages, stage_record(chain.stages[-1], declared))


def _units(
    pieces: Iterable[Played], synthesizer: Parcel | None, ledger: Ledger, services: Sequence[Service]
) -> Iterator[Unit]:
    offline = [each for each in services if isinstance(each, CatalogueService)]
    ears, after = Ears.of(offline), ()
    if synthesizer:
        after = (f"contestant {synthesizer.contestant.name}",)
        yield Unit(after[0], Parcel.itself, (synthesizer,), lasting=True)
    for piece in pieces:
        versions = [(each.name, each.version) for each in offline]
        answered = ledger.answered(versions, piece.system, piece.recording)
        yield Unit(f"{piece.system} on {piece.recording}", hear, (piece, ears, answered), after)


def _keep(ledger: Ledger, piece: Played, heard: Heard, services: Sequence[Service]) -> None:
    recording = piece.corpus.recording(piece.recording)
    known_as = (recording.split, recording.title, recording.work)
    ledger.add_recording(piece.system, piece.recording, *known_as, heard.segments)
    versions = {each.name: each.version for each in services}
    for service, sha256, reply in heard.replies:
        ledger.record(service, versions[service], sha256, reply)


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
    listening.check(programme.corpus)
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
        films_here=programme.films_here,
        title_rules=RULES_VERSION,
        origin=Origin.here(),
        systems=dict(played),
        rows=list(rows),
    )
    return write(folder / RESULT, record)
