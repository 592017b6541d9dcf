"""``audeo-bench view``: one page of your runs, or a list of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add ``view``."""
    app.command(
        epilog="\b\nExamples:\n  audeo-bench view                                     a list of runs\n"
        "  audeo-bench view runs/simulated-wtc2/my_model -o look.html\n"
        "  audeo-bench view runs/simulated-wtc2/my_model runs/simulated-wtc2/keywise   side by side"
    )(view)


def view(
    run: Annotated[
        list[Path] | None, typer.Argument(help="Run folders; left out, the runs that are there are listed.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page.")] = Path("view.html"),
    runs: Annotated[Path, typer.Option(help="Where run folders are, for the list.")] = Path("runs"),
    sound: Annotated[
        bool, typer.Option(help="Play answers and truth on a piano, not by plain tones.")
    ] = True,
) -> None:
    """Look at runs: scores, rolls against the truth, film and sound, in one page that needs nothing else."""
    from audeo_bench.report import view as looking
    from audeo_bench.report.terminal import show

    if not run:
        show([looking.list_runs(runs)])
        return
    typer.echo(f"page: {looking.write_view(run, output, sound)}")
