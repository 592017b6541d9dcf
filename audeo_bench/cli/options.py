"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Corpus = Annotated[str, typer.Option("--corpus", help="simulated, or one of `audeo-bench data list`.")]
CorpusSeed = Annotated[int, typer.Option(min=0, help="Another seed gives another simulated corpus.")]
Split = Annotated[str, typer.Option(help="Which recordings.")]
Seed = Annotated[int, typer.Option(help="For contestants that draw random numbers.")]
Runs = Annotated[Path, typer.Option(help="Where run folders are.")]
Weights = Annotated[
    list[str] | None, typer.Option(metavar="[NAME=]PATH", help="Trained weights; repeatable.")
]
Workers = Annotated[
    int | None, typer.Option(min=0, help="Processes at once; 0 for what cores and memory allow.")
]
Scheduler = Annotated[
    str | None, typer.Option(metavar="tcp://HOST:PORT", help="A dask scheduler whose workers do it.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Format = Annotated[
    Literal["table", "markdown", "latex", "csv", "json"],
    typer.Option("--format", help="How tables are printed; a CSV table's title is a line with #."),
]
