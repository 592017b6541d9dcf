"""``audeo-bench identify``: Table 2. ``audeo-bench catalogue``: what the offline engines know."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from audeo_bench.identify.catalogue.store import Catalogue
    from audeo_bench.identify.ledger import Ledger
    from audeo_bench.identify.segments import Segment
    from audeo_bench.identify.service import Service
    from audeo_bench.identify.table import Row


class ServiceName(StrEnum):
    """Who is asked."""

    pitch = "pitch"
    landmark = "landmark"
    shazam = "shazam"


OFFLINE = (ServiceName.pitch, ServiceName.landmark)

catalogue_app = typer.Typer(
    help="What the offline engines know: build a catalogue, look into one.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add ``identify`` and ``catalogue``."""
    app.command(epilog="Example: audeo-bench identify my.wav --service shazam")(identify)
    app.add_typer(catalogue_app, name="catalogue")


def identify(
    audio: Annotated[
        Path | None, typer.Argument(help="Any audio file; the corpus's identification test if left out.")
    ] = None,
    service: Annotated[
        list[ServiceName] | None, typer.Option(help="Repeatable; both offline engines if left out.")
    ] = None,
    system: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHAIN",
            help="Such as video2roll+fluidsynth, or truth. Repeatable; Table 2's if left out.",
        ),
    ] = None,
    recording: Annotated[str | None, typer.Option(help="Only this recording.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many of each split.")] = None,
    corpus: Annotated[
        str, typer.Option(help="simulated, or data that `audeo-bench data add` knows.")
    ] = "simulated",
    corpus_seed: Annotated[int, typer.Option(help="Another seed gives another simulated corpus.")] = 0,
    catalogue: Annotated[
        Path | None, typer.Option(help="A folder from `catalogue build`; the embedded one if left out.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="Where run folders go.")] = Path("runs"),
    per_minute: Annotated[float, typer.Option(min=0.1, max=20, help="Shazam: requests a minute.")] = 4,
    resume: Annotated[bool, typer.Option(help="Keep earlier answers; --no-resume moves them aside.")] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how much would be asked, ask nobody.")
    ] = False,
    rejudge: Annotated[
        bool, typer.Option("--rejudge", help="Judge the kept answers again; plays and asks nothing.")
    ] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write every kept answer to this JSON lines file.")
    ] = None,
    picture: Annotated[bool, typer.Option(help="Show which 20-second pieces were named.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Table 2: is the piece recognised when one listens to the reconstruction?

    Every answer is kept; the same command continues a run that was stopped.
    """
    from audeo_bench.corpus import open_corpus
    from audeo_bench.identify import job
    from audeo_bench.identify.ledger import Ledger
    from audeo_bench.identify.players import table2_players

    command = ["audeo-bench", *sys.argv[1:]]
    opened = None if audio else open_corpus(corpus, seed=corpus_seed)
    folder = runs / _folder_name(audio, corpus, corpus_seed)
    if not resume:
        _move_aside(folder / "identify.sqlite")
    with Ledger(folder / "identify.sqlite") as ledger:
        services, parts = None, None
        if not rejudge:
            asked = _services(service or list(OFFLINE), catalogue, corpus_seed, per_minute)
            services = [(each.name, each.version) for each in asked]
            if opened is None:
                assert audio is not None
                played = job.Played(job.note_file(audio, ledger), {("file", audio.name)})
            else:
                players = table2_players(runs, system, command)
                played = job.play_all(opened, players, ledger, recording=recording, limit=limit)
            if dry_run:
                _print_plans(asked, played.segments, ledger, per_minute)
                return
            for each in asked:
                job.ask(each, played.segments, ledger)
            parts = played.parts
        if export is not None:
            typer.echo(f"{ledger.export(export)} lines: {export}", err=True)
        if opened is None:
            _print_answers(ledger, services or ledger.services())
            return
        rows = job.judge_all(ledger, services, parts)
    facts = {
        "corpus": {"name": opened.name, "version": opened.version, "seed": opened.seed},
        "provenance": opened.provenance,
        "quick_look": limit is not None or recording is not None,
    }
    path = job.write_result(folder, rows, facts, command)
    if as_json:
        typer.echo(path.read_text(encoding="utf-8"))
    else:
        what = f"{opened.provenance}: corpus {opened.name} {opened.version}"
        _print_tables(rows, what, bool(facts["quick_look"]), picture)
        typer.echo(f"run: {folder}")


@catalogue_app.command(
    "build", epilog="Example: audeo-bench catalogue build cat --folder music --titles music.csv"
)
def build_catalogue(
    output: Annotated[Path, typer.Argument(help="The catalogue's folder.")],
    folder: Annotated[
        Path | None, typer.Option(help="Audio or MIDI files, instead of the simulated works.")
    ] = None,
    titles: Annotated[
        Path | None, typer.Option(help="CSV: file,title[,composer,collection,number,bwv,key].")
    ] = None,
    distractors: Annotated[int, typer.Option(min=0, help="Simulated pieces that no recording plays.")] = 500,
    corpus_seed: Annotated[int, typer.Option(help="Of the simulated corpus.")] = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as processors if left out.")
    ] = None,
) -> None:
    """Build a catalogue: of the simulated works, or of your own recordings."""
    from audeo_bench.api import AudeoBenchError
    from audeo_bench.identify.catalogue import sources
    from audeo_bench.identify.catalogue.embedded import build_with_progress

    if (folder is None) != (titles is None):
        raise AudeoBenchError("catalogue build: --folder and --titles go together.")
    if folder is not None and titles is not None:
        built = build_with_progress(
            sources.folder_sources(folder, titles), output, folder.name, "own", workers
        )
    else:
        chosen = sources.simulated_sources(corpus_seed, distractors)
        built = build_with_progress(chosen, output, "simulated", "simulated", workers)
    _describe(built)


@catalogue_app.command("show")
def show_catalogue(
    folder: Annotated[Path | None, typer.Argument(help="The embedded catalogue if left out.")] = None,
) -> None:
    """Say what a catalogue holds."""
    from audeo_bench.identify.catalogue.embedded import embedded_catalogue
    from audeo_bench.identify.catalogue.store import Catalogue

    _describe(Catalogue(folder) if folder else embedded_catalogue())


def _describe(catalogue: Catalogue) -> None:
    typer.echo(
        f"{catalogue.folder}: {catalogue.name} ({catalogue.provenance}), {catalogue.pieces} pieces, "
        f"{len(catalogue.entries)} performances, {catalogue.hours:.1f} hours, digest {catalogue.digest[:12]}"
    )


def _folder_name(audio: Path | None, corpus: str, seed: int) -> str:
    if audio is not None:
        return f"identify-{audio.stem}"
    return f"identify-{corpus}" + (f"-corpus{seed}" if seed else "")


def _move_aside(ledger: Path) -> None:
    from datetime import UTC, datetime

    if ledger.is_file():
        moved = ledger.with_name(f"identify-until-{datetime.now(UTC):%Y%m%dT%H%M%S}.sqlite")
        for suffix in ("", "-wal", "-shm"):
            part = ledger.with_name(ledger.name + suffix)
            if part.exists():
                part.rename(moved.with_name(moved.name + suffix))
        typer.echo(f"earlier answers: {moved}", err=True)


def _services(
    names: list[ServiceName], catalogue: Path | None, seed: int, per_minute: float
) -> list[Service]:
    from audeo_bench.identify.catalogue.embedded import embedded_catalogue
    from audeo_bench.identify.catalogue.engine import CatalogueService
    from audeo_bench.identify.catalogue.store import Catalogue

    services: list[Service] = []
    known = None
    for name in dict.fromkeys(names):
        if name is ServiceName.shazam:
            from audeo_bench.identify.shazam import Manners, ShazamService

            services.append(ShazamService(Manners(per_minute=per_minute)))
            continue
        known = known or (Catalogue(catalogue) if catalogue else embedded_catalogue(seed))
        services.append(CatalogueService(name.value, known))
    return services


def _print_plans(services: list[Service], segments: list[Segment], ledger: Ledger, per_minute: float) -> None:
    from datetime import timedelta

    from audeo_bench.identify import job
    from audeo_bench.identify.shazam import Manners

    for service in services:
        plan = job.plan(service, segments, ledger)
        seconds = plan.open * (
            Manners(per_minute=per_minute).seconds_per_query if plan.service == "shazam" else 0.05
        )
        typer.echo(
            f"{plan.service}: {plan.segments} queries, {plan.answered} already answered, {plan.open} to ask, "
            f"about {timedelta(seconds=round(seconds))}"
        )


def _print_answers(ledger: Ledger, services: list[tuple[str, str]]) -> None:
    from rich.table import Table

    from audeo_bench.report import terminal

    for service, version in services:
        table = Table(title=f"{service} ({version})")
        for heading in ("Seconds", "Title", "Artist", "Album"):
            table.add_column(heading)
        for query in ledger.queries(service, version):
            span = f"{query.start:.0f}-{query.start + query.seconds:.0f}"
            if query.reply is None:
                table.add_row(span, f"error: {query.fault}" if query.fault else "not asked")
            else:
                answer = query.reply.answer
                table.add_row(span, answer.title or "nothing", answer.artist, answer.album)
        terminal.stdout().print(table)


def _print_tables(rows: list[Row], what: str, quick: bool, picture: bool) -> None:
    from audeo_bench.report import identification as printing
    from audeo_bench.report import terminal

    out = terminal.stdout()
    for name, version in dict.fromkeys((row.service, row.version) for row in rows):
        of_service = [row for row in rows if (row.service, row.version) == (name, version)]
        out.print(printing.table2(of_service, what, quick))
        if picture:
            out.print(printing.strips(of_service))
