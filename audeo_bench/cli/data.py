"""``audeo-bench data``: local data sets, corpora, and recordings as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audeo_bench.cli import options
from audeo_bench.cli.group import WholeSummaries

if TYPE_CHECKING:
    from audeo_bench.corpus.films.preparing import Prepared

app = typer.Typer(
    no_args_is_help=True, cls=WholeSummaries, help="Local data sets, corpora, and recordings as files."
)


def register(parent: typer.Typer) -> None:
    """Add ``data`` and its commands."""
    parent.add_typer(app, name="data")


@app.command(
    epilog="\b\nExamples:\n  audeo-bench data add pianoyt ~/pianoyt\n"
    "  audeo-bench data add recordings my-films ~/films     a folder of films, MIDI files beside them\n"
    "  audeo-bench data add recordings my-films films.toml --apply-lag"
)
def add(
    kind: Annotated[str, typer.Argument(metavar="pianoyt|asap|recordings", help="What is added.")],
    place: Annotated[
        str, typer.Argument(metavar="DIR|NAME", help="Your copy of the data set; for recordings their name.")
    ],
    manifest: Annotated[
        Path | None, typer.Argument(help="Recordings: a TOML or CSV file, or a folder of films.")
    ] = None,
    apply_lag: Annotated[
        bool | None,
        typer.Option(
            "--apply-lag/--no-apply-lag",
            help="Use measured starts, rates, octaves where certain; stays so until you say otherwise.",
        ),
    ] = None,
    workers: options.Workers = None,
    scheduler: options.Scheduler = None,
) -> None:
    """Register your copy of a data set, or films of your own: checked; only warped frames are copied."""
    if kind == "recordings":
        _add_recordings(place, manifest, apply_lag, workers, scheduler)
        return
    from audeo_bench.corpus import check_choice, registry

    check_choice("kind of data", kind, (*registry.SOURCES, "recordings"), "audeo-bench data add")
    entry = registry.add(kind, Path(place))
    source = registry.SOURCES[kind]
    typer.echo(f"registered {source.title}: {len(entry.files)} files in {entry.directory}")
    if entry.as_published is not None:
        verdict = (
            "as published" if entry.as_published else "NOT the published files; scores will be marked so"
        )
        typer.echo(f"checksums: {verdict}")
    typer.echo(f"licence: {source.licence}")
    typer.echo(f"citation: {source.citation}")
    typer.echo(f"opens the corpus {source.corpus}: audeo-bench midi --split wtc2 --corpus {source.corpus}")


def _add_recordings(
    name: str, manifest: Path | None, apply_lag: bool | None, workers: int | None, scheduler: str | None
) -> None:
    from audeo_bench.corpus.films.adding import add_recordings
    from audeo_bench.report.terminal import stdout, word_table

    added = add_recordings(name, manifest, apply_lag, workers, scheduler)
    table = word_table(
        "film", "keyboard", "start used", "start measured", "look at", title=f"{name}: films that are ready"
    )
    for job, ready in added.ready:
        measured = (
            "" if ready.aligned is None else f"{ready.aligned.start_s:.2f} s ({ready.aligned.confidence:.2f})"
        )
        table.add_row(
            ready.id, ready.corners_by, f"{ready.start_s:.2f} s", measured, str(job.folder / "check.jpg")
        )
    if added.ready:
        stdout().print(table)
    for job, ready in added.ready:
        for remark in ready.remarks:
            typer.echo(f"{job.here.path}: {remark}.", err=True)
    for fault in added.faults:
        typer.echo(f"audeo-bench: error: {fault}", err=True)
    splits = [*dict.fromkeys(job.here.film.split for job, _ in added.ready)]
    if splits:
        one = "test" if "test" in splits else splits[0]
        opened = f"opens the corpus {name} (splits {', '.join(splits)})"
        typer.echo(f"{opened}: audeo-bench midi --corpus {name} --split {one}")
    if added.faults:
        raise typer.Exit(1)


@app.command("list")
def list_(
    json_: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """List corpora and sets of real films: splits, licence, truth, and what is here."""
    import json

    from audeo_bench.corpus.overview import overview
    from audeo_bench.corpus.sets.overview import set_rows
    from audeo_bench.report.terminal import stdout, word_table

    corpora, sets = overview(), set_rows()
    if json_:
        typer.echo(json.dumps(corpora + sets, indent=2))
        return
    table = word_table("corpus", "provenance", "splits (recordings)", "state", title="Corpora")
    for row in corpora:
        table.add_row(row["corpus"], row["provenance"], _splits(row), row["state"])
    stdout().print(table)
    table = word_table("set", "truth", "licence", "size", "splits (films)", "state", title="Real films")
    for row in sets:
        size = "not stated" if row["gigabytes"] is None else f"{row['gigabytes']:g} GB"
        table.add_row(row["corpus"], row["truth"], row["licence"], size, _splits(row), row["state"])
    stdout().print(
        table, "audeo-bench data info NAME shows one with its citation, data fetch NAME brings its films."
    )


def _splits(row: dict[str, Any]) -> str:
    return ", ".join(f"{split} ({count})" for split, count in row["splits"].items())


@app.command(epilog="One recording:  audeo-bench data info simulated/wtc2-01")
def info(
    place: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A corpus, CORPUS/RECORDING, a set of films, or a set's file."),
    ],
    corpus_seed: options.CorpusSeed = 0,
    json_: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Show the facts of a corpus, of one recording, or of a set of films with the citation to copy."""
    import json

    from audeo_bench.corpus.overview import describe
    from audeo_bench.corpus.sets.here import is_set
    from audeo_bench.report.terminal import stdout, word_table

    facts = _set_facts(place) if is_set(place) else describe(place, seed=corpus_seed)
    if json_:
        typer.echo(json.dumps(facts, indent=2))
        return
    films, citation = facts.pop("films", ()), facts.pop("citation", "") if is_set(place) else ""
    clocks, truths, crops = (facts.pop(name, ()) for name in ("clocks", "truths", "crops"))
    table = word_table("fact", "value", title=place, header=False)
    for name, value in facts.items():
        if value is None:
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{key}: {one}" for key, one in value.items())
        elif isinstance(value, list):
            value = "\n".join(map(str, value))
        table.add_row(name, str(value))
    stdout().print(table)
    if films:
        table = word_table("film", "split", "had as", "here", "labels", "what")
        for film in films:
            had = film.get("youtube") or film.get("url") or film["film"]
            what = film.get("work") or film.get("title") or film.get("remark", "")
            there = "yes" if film["here"] else "no", ", ".join(film["truth"]) or "no"
            table.add_row(film["id"], film.get("split", "test"), had, *there, what)
        stdout().print(table)
    if clocks:
        title = "Where labels begin in films that are ready: film time = start + rate x label time"
        table = word_table("film", "start", "rate", "measured", "confidence", "applied", title=title)
        for one in clocks:
            table.add_row(*map(str, one.values()))
        stdout().print(table)
    if truths:
        title = "Two truths of one film: the second scored against the first, F1 in %"
        table = word_table(
            "film", "truth", "beside", "frames", "frame_mean, 51 keys", "micro, 88", title=title
        )
        for one in truths:
            table.add_row(*map(str, one.values()))
        stdout().print(table)
        typer.echo("What one truth scores by the other is the most that a system can be shown to score.")
    if crops:
        title = "The crop beside the corners that are found in the film"
        table = word_table("film", "confidence", "corners, pixels", "worst key, widths", title=title)
        for one in crops:
            table.add_row(*(str(one[name]) for name in ("id", "confidence", "pixels", "keys")))
        stdout().print(table)
    if citation:
        typer.echo(citation.strip())


def _set_facts(place: str) -> dict[str, Any]:
    """A set whole, and what can be measured on its films that are here."""
    from dataclasses import asdict

    from audeo_bench.corpus.films.crops import crops_of
    from audeo_bench.corpus.films.preparing import Job, prepared
    from audeo_bench.corpus.sets.here import films_of
    from audeo_bench.corpus.sets.overview import describe_set
    from audeo_bench.errors import AudeoBenchError
    from audeo_bench.paper.truths import agreements

    facts, crops = describe_set(place), []
    name = facts["name"]
    for found in crops_of(place):
        if isinstance(found, AudeoBenchError):
            typer.echo(f"crop not compared with found corners: {found}", err=True)
        else:
            crops.append(found.model_dump(mode="json"))
    clocks = [
        _clocks(each.film.id, ready) for each in films_of(place) if (ready := prepared(Job(name, each)))
    ]
    return facts | {"clocks": clocks, "truths": [asdict(one) for one in agreements(place)], "crops": crops}


def _clocks(film: str, ready: Prepared) -> dict[str, Any]:
    """The start and rate that are used of a film's labels, and those that were measured."""
    found = ready.aligned
    used = (ready.start_s, ready.rate, ready.pitch_add)
    return {
        "film": film,
        "start_s": ready.start_s,
        "rate": ready.rate,
        "measured": "no" if found is None else f"{found.start_s:.2f} s, rate {found.rate:g}",
        "confidence": "" if found is None else found.confidence,
        "applied": "yes" if found and used == (found.start_s, found.rate, found.pitch_add) else "no",
    }


@app.command(
    epilog="\b\nExamples:\n  audeo-bench data fetch pianoray\n"
    "  audeo-bench data fetch audeo-films --into ~/films --only wtc2-01\n"
    "  audeo-bench data fetch audeo-films --source '/lab/films/{id}.mp4'"
)
def fetch(
    place: Annotated[str, typer.Argument(metavar="NAME", help="A set of films, or a set's file.")],
    into: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for the films.")] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="These films only; commas or repeated."),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="TEMPLATE", help="Your mirror: an address or folder, with {id} for a film's id."
        ),
    ] = None,
    cookies: Annotated[
        str | None, typer.Option("--cookies-from-browser", metavar="BROWSER", help="Such as firefox.")
    ] = None,
) -> None:
    """Fetch a set's films: checked, resumed where it was stopped, nothing twice."""
    from audeo_bench.corpus.sets import fetch as fetching
    from audeo_bench.corpus.sets.overview import computable
    from audeo_bench.report.terminal import stdout, word_table

    chosen = [name for part in only or () for name in part.split(",") if name]
    if only and not chosen:
        raise typer.BadParameter("names no film; leave it out for all.", param_hint="--only")
    plan = fetching.plan(place, into, chosen, source, cookies)
    unknown = ", nobody says how large" if plan.wanted and plan.size is None else ""
    size = f", about {plan.size / 1e9:.2g} GB" if plan.size and plan.size > 1e7 else unknown
    here = f", {len(plan.here)} here already" if plan.here else ""
    here += "".join(f", in {folder}" for folder in plan.places)
    here += f", labels of {len(plan.unlabelled)} missing" if plan.unlabelled else ""
    films = f"{len(plan.wanted)} film{'' if len(plan.wanted) == 1 else 's'}"
    typer.echo(f"{plan.films.name}: {films} to bring into {plan.folder}{size}{here}")
    typer.echo(f"licence: {plan.films.licence}")
    failed = fetching.fetch(plan, lambda line: typer.echo(line, err=True))
    table = word_table(
        "split", "here", "with labels", "can be computed", title=f"{plan.films.name}: what is here"
    )
    for row in computable(place):
        table.add_row(*row)
    stdout().print(table)
    if failed:
        raise typer.Exit(1)


@app.command(epilog="A video with sound:  audeo-bench data export simulated/wtc2-01 -o videos")
def export(
    place: Annotated[str, typer.Argument(metavar="CORPUS/RECORDING", help="Such as simulated/wtc2-01.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the files.")],
    corpus_seed: options.CorpusSeed = 0,
) -> None:
    """Write one recording as a video with sound (MP4), a MIDI file and rolls (npz)."""
    from audeo_bench.corpus.export import export as write
    from audeo_bench.corpus.export import find_recording

    for path in write(find_recording(place, seed=corpus_seed), output):
        typer.echo(f"wrote {path}")
