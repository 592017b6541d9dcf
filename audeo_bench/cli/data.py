"""``audeo-bench data``: local data sets, corpora, and recordings as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Local data sets, corpora, and recordings as files.")


def register(parent: typer.Typer) -> None:
    """Add ``data`` and its commands."""
    parent.add_typer(app, name="data")


@app.command(epilog="Labels of real videos:  audeo-bench data add pianoyt ~/pianoyt")
def add(
    name: Annotated[str, typer.Argument(help="pianoyt or asap.")],
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Your copy of the data set.")],
) -> None:
    """Register a local copy of a data set: checked, never copied."""
    from audeo_bench.corpus import registry

    entry = registry.add(name, directory)
    source = registry.SOURCES[name]
    typer.echo(f"registered {source.title}: {len(entry.files)} files in {entry.directory}")
    if entry.as_published is not None:
        verdict = (
            "as published" if entry.as_published else "NOT the published files; scores will be marked so"
        )
        typer.echo(f"checksums: {verdict}")
    typer.echo(f"licence: {source.licence}")
    typer.echo(f"citation: {source.citation}")
    typer.echo(f"opens the corpus {source.corpus}: audeo-bench midi --split wtc2 --corpus {source.corpus}")


@app.command("list")
def list_(
    json_: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """List corpora, their splits, and what each needs."""
    import json

    from rich.table import Table

    from audeo_bench.corpus.overview import overview
    from audeo_bench.report.terminal import stdout

    rows = overview()
    if json_:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("corpus", "provenance", "splits (recordings)", "state", title="Corpora")
    for row in rows:
        splits = ", ".join(f"{split} ({count})" for split, count in row["splits"].items())
        table.add_row(row["corpus"], row["provenance"], splits, row["state"])
    stdout().print(table)


@app.command(epilog="One recording:  audeo-bench data info simulated/wtc2-01")
def info(
    place: Annotated[str, typer.Argument(metavar="CORPUS[/RECORDING]", help="Such as simulated/wtc2-01.")],
    seed: Annotated[int, typer.Option(help="Of a simulated corpus or camera.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Show the facts of a corpus or of one recording."""
    import json

    from rich.table import Table

    from audeo_bench.corpus.overview import describe
    from audeo_bench.report.terminal import stdout

    facts = describe(place, seed=seed)
    if json_:
        typer.echo(json.dumps(facts, indent=2))
        return
    table = Table(show_header=False, title=place)
    for name, value in facts.items():
        table.add_row(name, str(value))
    stdout().print(table)


@app.command(epilog="A video with sound:  audeo-bench data export simulated/wtc2-01 -o videos")
def export(
    place: Annotated[str, typer.Argument(metavar="CORPUS/RECORDING", help="Such as simulated/wtc2-01.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the files.")],
    seed: Annotated[int, typer.Option(help="Of a simulated corpus or camera.")] = 0,
) -> None:
    """Write one recording as a video with sound (MP4), a MIDI file and rolls (npz)."""
    from audeo_bench.corpus.export import export as write
    from audeo_bench.corpus.export import find_recording

    for path in write(find_recording(place, seed=seed), output):
        typer.echo(f"wrote {path}")
