"""The whole job of ``audeo-bench identify``: play, cut, ask, judge, add up; resumable at any point."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audeo_bench import provenance
from audeo_bench.api import AudeoBenchError, Recording, Work
from audeo_bench.files import atomic_write
from audeo_bench.identify.ledger import Ledger
from audeo_bench.identify.players import Player
from audeo_bench.identify.segments import Segment, cut, load_audio
from audeo_bench.identify.service import Service, ask_all
from audeo_bench.identify.table import Row, add_up, as_record, in_papers_order
from audeo_bench.identify.titles import RULES_VERSION
from audeo_bench.paper.reported import reported
from audeo_bench.progress import progress_bar

if TYPE_CHECKING:
    from audeo_bench.corpus import Corpus

SPLITS = ("wtc1-variants", "wtc2-other")
"""The identification test."""


@dataclass(frozen=True)
class Plan:
    """How much a service has been and would be asked."""

    service: str
    segments: int
    answered: int

    @property
    def open(self) -> int:
        return self.segments - self.answered


@dataclass
class Played:
    """What was played: the segments, and of which systems and recordings they are."""

    segments: list[Segment] = field(default_factory=list)
    parts: set[tuple[str, str]] = field(default_factory=set)


def play_all(
    corpus: Corpus,
    players: Sequence[Player],
    ledger: Ledger,
    splits: Sequence[str] = SPLITS,
    recording: str | None = None,
    limit: int | None = None,
) -> Played:
    """Let every player play every recording, note the segments in the ledger, and return them all.

    Parameters
    ----------
    recording : str, optional
        Only this one.
    limit : int, optional
        Only the first so many recordings of each split.
    """
    played = Played()
    chosen = {split: _chosen(corpus, split, recording, limit) for split in splits}
    if not any(chosen.values()):
        raise AudeoBenchError(
            f"recording {recording!r}: not in {' or '.join(splits)} of corpus {corpus.name}."
        )
    with progress_bar("play", len(players) * sum(map(len, chosen.values())), "recordings") as bar:
        for player in players:
            for split, ids in chosen.items():
                if ids:
                    player.prepare(corpus, split, limit if recording is None else None, recording)
                for identifier in ids:
                    bar.advance(0, note=f"{player.system} {identifier}")
                    heard = corpus.recording(identifier)
                    pieces = cut(player.play(heard), f"{player.system}, {identifier}")
                    _note(ledger, player.system, heard, split, pieces)
                    played.segments += pieces
                    played.parts.add((player.system, identifier))
                    bar.advance()
    return played


def _chosen(corpus: Corpus, split: str, recording: str | None, limit: int | None) -> list[str]:
    ids = list(corpus.ids(split))
    return [each for each in ids if each == recording] if recording is not None else ids[:limit]


def _note(ledger: Ledger, system: str, recording: Recording, split: str, segments: list[Segment]) -> None:
    ledger.add_recording(system, recording.id, split, recording.title, recording.work, segments)


def note_file(path: Path, ledger: Ledger) -> list[Segment]:
    """Any audio file as a recording of its own, of a work that nobody knows."""
    segments = cut(load_audio(path), str(path))
    if not segments:
        raise AudeoBenchError(f"{path}: shorter than 12 seconds, too short to be asked about.")
    ledger.add_recording("file", path.name, "file", path.stem, Work("", ""), segments)
    return segments


def plan(service: Service, segments: Iterable[Segment], ledger: Ledger) -> Plan:
    """How many different segments there are, and how many this service has answered."""
    names = {segment.sha256 for segment in segments}
    answered = sum(ledger.find(service.name, service.version, name) is not None for name in names)
    return Plan(service.name, len(names), answered)


def ask(service: Service, segments: Sequence[Segment], ledger: Ledger) -> None:
    """Ask for what the ledger has no answer to, with a progress bar."""
    with progress_bar(f"ask {service.name}", len(segments), "segments") as bar:
        asyncio.run(ask_all(service, segments, ledger, bar.advance))


def judge_all(
    ledger: Ledger,
    services: Sequence[tuple[str, str]] | None = None,
    parts: set[tuple[str, str]] | None = None,
) -> list[Row]:
    """Every service's rows from the ledger alone, by today's title rules; nobody is asked.

    ``parts`` are the systems and recordings that count; all by default.
    """
    order = [row.system for row in reported().table2.rows]
    rows: list[Row] = []
    for service, version in services or ledger.services():
        queries = (
            q for q in ledger.queries(service, version) if parts is None or (q.system, q.recording) in parts
        )
        rows += in_papers_order(add_up(queries, service, version), order)
    return rows


def write_result(folder: Path, rows: Sequence[Row], facts: dict[str, Any], command: Sequence[str]) -> Path:
    """``identify.json``: every row with its counts and strips, and what made it."""
    record = {
        "schema_version": 1,
        **facts,
        "title_rules": RULES_VERSION,
        "versions": provenance.versions(),
        "commit": provenance.commit(),
        "command": list(command),
        "rows": [as_record(row) for row in rows],
    }
    path = folder / "identify.json"
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
