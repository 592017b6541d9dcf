"""``audeo-bench identify``: Table 2. ``audeo-bench catalogue``: what the offline engines know."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audeo_bench.cli import options
from audeo_bench.cli.group import WholeSummaries

if TYPE_CHECKING:
    from audeo_bench.identify.catalogue.store import Catalogue
    from audeo_bench.identify.ledger import Query
    from audeo_bench.records import IdentificationRow


class ServiceName(StrEnum):
    """Who is asked."""

    pitch = "pitch"
    landmark = "landmark"
    shazam = "shazam"


OFFLINE = (ServiceName.pitch, ServiceName.landmark)

catalogue_app = typer.Typer(
    help="What the offline engines know: build a catalogue, look into one.",
    no_args_is_help=True,
    cls=WholeSummaries,
)


def register(app: typer.Typer) -> None:
    """Add ``identify`` and ``catalogue``."""
    app.command(epilog="Example: audeo-bench identify my.wav --service shazam")(identify)
    app.add_typer(catalogue_app, name="catalogue")


def identify(
    audio: Annotated[
        list[Path] | None,
        typer.Argument(help="Audio or video files; the corpus's identification test if left out."),
    ] = None,
    service: Annotated[
        list[ServiceName] | None, typer.Option(help="Repeatable; both offline listeners if left out.")
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
    corpus: options.Corpus = "simulated",
    corpus_seed: options.CorpusSeed = 0,
    catalogue: Annotated[
        Path | None, typer.Option(help="A folder from `catalogue build`; the embedded one if left out.")
    ] = None,
    runs: options.Runs = Path("runs"),
    workers: options.Workers = 0,
    scheduler: options.Scheduler = None,
    ask_anyway: Annotated[
        bool, typer.Option("--ask-anyway", help="Shazam: ask about music that nobody ever recorded, too.")
    ] = False,
    per_minute: Annotated[float, typer.Option(min=0.1, max=20, help="Shazam: requests a minute.")] = 4,
    resume: Annotated[bool, typer.Option(help="Keep earlier answers; --no-resume moves them aside.")] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how much would be asked; runs nothing, asks nobody.")
    ] = False,
    rejudge: Annotated[
        bool, typer.Option("--rejudge", help="Judge the kept answers again; plays and asks nothing.")
    ] = False,
    export: Annotated[
        Path | None, typer.Option(help="Write every kept answer to this JSON lines file.")
    ] = None,
    picture: Annotated[bool, typer.Option(help="Show which 20-second pieces were named.")] = True,
    as_json: options.Json = False,
) -> None:
    """Table 2: is the piece recognised when one listens to the reconstruction?

    Every answer is kept; the same command continues a run that was stopped.
    """
    from audeo_bench.corpus import open_corpus
    from audeo_bench.crew import crew, fitting
    from audeo_bench.identify import job

    names = tuple(each.value for each in service or OFFLINE)
    listening = job.Listening(names, catalogue, per_minute, ask_anyway)
    if audio:
        folder = job.files_folder(audio, runs)
        _start(folder, resume)
        answers = job.identify_files(audio, listening, runs)
        _print_answers(answers, as_json)
        _export(folder, export)
        return
    programme = job.Programme(open_corpus(corpus, seed=corpus_seed), tuple(system or ()), recording, limit)
    if dry_run:
        for each in job.plan(programme, listening, runs):
            typer.echo(str(each))
        return
    folder = programme.folder(runs)
    _start(folder, resume)
    if rejudge:
        path, rows = job.judge_again(programme, runs)
    else:
        processes = workers or fitting(programme.units)
        with crew(processes, scheduler) as who:
            path, rows = job.identify_corpus(programme, listening, runs, who, _print_rows)
    _export(folder, export)
    if as_json:
        from audeo_bench.formats.text import read_json

        typer.echo(json.dumps(read_json(path, remedy="run the same command again"), indent=1))
    else:
        _print_tables(rows, programme.facts, programme.quick_look, picture)
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
    workers: options.Workers = 0,
    scheduler: options.Scheduler = None,
) -> None:
    """Build a catalogue: of the simulated works, or of your own recordings."""
    from audeo_bench.api import AudeoBenchError
    from audeo_bench.crew import crew, fitting
    from audeo_bench.identify.catalogue import sources
    from audeo_bench.identify.catalogue.embedded import build_with_progress

    if (folder is None) != (titles is None):
        raise AudeoBenchError("catalogue build: --folder and --titles go together.")
    if folder is not None and titles is not None:
        chosen, name, provenance = sources.folder_sources(folder, titles), folder.name, "own"
    else:
        chosen = sources.simulated_sources(corpus_seed, distractors)
        name = provenance = "simulated"
    with crew(workers or fitting(len(chosen)), scheduler) as who:
        _describe(build_with_progress(chosen, output, name, provenance, who))


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


def _start(folder: Path, resume: bool) -> None:
    from audeo_bench.identify import job

    moved = None if resume else job.move_aside(folder)
    if moved is not None:
        typer.echo(f"earlier answers: {moved}", err=True)


def _export(folder: Path, path: Path | None) -> None:
    from audeo_bench.identify import job

    if path is not None:
        typer.echo(f"{job.export_answers(folder, path)} lines: {path}", err=True)


def _print_answers(answers: Mapping[tuple[str, str], Sequence[Query]], as_json: bool) -> None:
    import json
    from dataclasses import asdict

    from audeo_bench.report import identification as printing
    from audeo_bench.report import terminal

    if as_json:
        found = [
            {"service": service, "version": version, "queries": [asdict(query) for query in queries]}
            for (service, version), queries in answers.items()
        ]
        typer.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for (service, version), queries in answers.items():
        terminal.stdout().print(printing.answers(queries, f"{service} ({version})"))


def _print_rows(rows: Sequence[IdentificationRow]) -> None:
    """One system's rates, as they come."""
    from audeo_bench.report import identification as printing

    for row in rows:
        typer.echo(printing.one_line(row), err=True)


def _print_tables(rows: Sequence[IdentificationRow], what: str, quick: bool, picture: bool) -> None:
    from audeo_bench.report import identification as printing
    from audeo_bench.report import terminal

    out = terminal.stdout()
    for name, version in dict.fromkeys((row.service, row.version) for row in rows):
        of_service = [row for row in rows if (row.service, row.version) == (name, version)]
        out.print(printing.table2(of_service, what, quick))
        if picture:
            out.print(printing.strips(of_service))
