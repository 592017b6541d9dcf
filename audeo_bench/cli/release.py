"""``audeo-bench import-release``: the data folder of the authors' release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from audeo_bench.corpus.audeo.recordings import Imported


def register(app: typer.Typer) -> None:
    """Add ``import-release``."""
    app.command("import-release", epilog="Then: audeo-bench midi --corpus audeo --split wtc2")(import_release)


def import_release(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="The release's data folder, or a part of it.")
    ],
) -> None:
    """Make the authors' released data the corpus `audeo`, and check their checkpoints.

    Reads any of labels, midi, OF_midi_files, estimate_Roll, Roll2Midi_results, input_images and checkpoints.
    Nothing in the files is executed; a pickle that asks for more than numbers is refused.
    """
    from audeo_bench.api import AudeoBenchError
    from audeo_bench.contestants.released import released_checkpoints
    from audeo_bench.corpus.audeo.recordings import import_recordings

    # Checkpoints first: a file that is refused must leave nothing behind.
    checkpoints = released_checkpoints(directory)
    imported = import_recordings(directory)
    if imported is None and not checkpoints:
        raise AudeoBenchError(
            f"{directory}: nothing of the authors' release is here; looked for labels, midi or OF_midi_files "
            "of recordings called `Bach Prelude and Fugue No.1 B2`, and for .pth checkpoints."
        )
    if imported is not None:
        _print_recordings(imported)
    for found in checkpoints:
        options = ", ".join(f"{name} {value}" for name, value in found.options.items())
        typer.echo(
            f"checkpoint for {found.contestant} ({options}): --weights {found.contestant}={found.path}"
        )


def _print_recordings(imported: Imported) -> None:
    from audeo_bench.report.terminal import stdout, word_table

    table = word_table(
        "recording", "frames", "with picture", "authors' Roll", "authors' Midi", "remarks", title="audeo"
    )
    for name, entry in imported.recordings.items():
        answered = (f"{entry.answered.get(system, 0):,}" for system in ("authors-roll", "authors-midi"))
        table.add_row(name, f"{entry.frames:,}", f"{entry.pictured:,}", *answered, "; ".join(entry.remarks))
    stdout().print(table)
    typer.echo("corpus audeo (recorded): audeo-bench midi --corpus audeo --split wtc2")
